import type { Label, LabelEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { openExample, type ExampleIndexing } from '../example-plugins.testing.ts'
import { ordersOf } from '../testing/orders.ts'

const src = 'did:plc:labeler'
const uri = 'at://did:plc:a/app.bsky.feed.post/1'
const at = (second: number): string => `2026-01-15T12:00:${String(second).padStart(2, '0')}.000Z`
const label = (fields: Partial<Label>): LabelEvent => ({
  type: 'label',
  label: { src, uri, val: 'spam', cts: at(0), ...fields },
})
const rows = ({ query }: ExampleIndexing) => query('select val, cid, neg, cts, exp from label order by val, cid')
const row = (fields: object) => ({ val: 'spam', cid: '', neg: false, cts: at(0), exp: null, ...fields })

describe('labels end the same in every order and every batch (G5)', () => {
  for (const { name, events, expected } of [
    {
      name: 'the newest of a label counts (L2)',
      events: [label({ cts: at(1) }), label({ cts: at(3), exp: at(9) }), label({ cts: at(2) })],
      expected: [row({ cts: at(3), exp: at(9) })],
    },
    {
      name: 'a newer negation takes back every version (L1)',
      events: [label({ cid: 'c1' }), label({}), label({ neg: true, cts: at(1) })],
      expected: [row({ neg: true, cts: at(1) }), row({ cid: 'c1', neg: true, cts: at(1) })],
    },
    {
      name: 'a negation of one version takes back all (L1)',
      events: [label({ cid: 'c1' }), label({ cid: 'c2', neg: true, cts: at(1) })],
      expected: [row({ cid: 'c1', neg: true, cts: at(1) }), row({ cid: 'c2', neg: true, cts: at(1) })],
    },
    {
      name: 'a label that is made after a negation holds',
      events: [label({ neg: true, cts: at(1) }), label({ cid: 'c1', cts: at(2) }), label({ cid: 'c2' })],
      expected: [
        row({ neg: true, cts: at(1) }),
        row({ cid: 'c1', cts: at(2) }),
        row({ cid: 'c2', neg: true, cts: at(1) }),
      ],
    },
    {
      name: 'of two negations the newer counts',
      events: [label({ cid: 'c1', cts: at(1) }), label({ neg: true, cts: at(2) }), label({ neg: true, cts: at(3) })],
      expected: [row({ neg: true, cts: at(3) }), row({ cid: 'c1', neg: true, cts: at(3) })],
    },
    { name: 'a lone negation is kept (L9)', events: [label({ neg: true })], expected: [row({ neg: true })] },
    {
      name: 'other values and sources are untouched',
      events: [
        label({ val: 'rude' }),
        label({ neg: true, cts: at(1), src: 'did:plc:other' }),
        label({ neg: true, cts: at(1) }),
      ],
      expected: [row({ val: 'rude' }), row({ neg: true, cts: at(1) }), row({ neg: true, cts: at(1) })],
    },
    { name: 'a subject need not be there (L8)', events: [label({ uri: 'did:plc:nobody' })], expected: [row({})] },
  ]) {
    pgTest(name, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      for (const order of ordersOf(events, 6)) {
        for (const batches of [order.map((event) => [event]), [order], [...order.map((event) => [event]), order]]) {
          await indexing.query('truncate label')
          for (const batch of batches) await indexing.service.indexLabels(batch)
          expect(await rows(indexing)).toEqual(expected)
        }
      }
    })
  }
})
