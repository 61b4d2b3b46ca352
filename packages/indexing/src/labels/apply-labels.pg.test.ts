import type { Label, LabelEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { array, sample } from 'fast-check'
import { describe, expect } from 'vitest'
import { openExample, type ExampleIndexing } from '../example-plugins.testing.ts'
import { ordersOf } from '../testing/orders.ts'
import { compareText } from '../values.ts'
import { readersRows, saidLabels } from './said-labels.testing.ts'

const src = 'did:plc:labeler'
const uri = 'at://did:plc:a/app.bsky.feed.post/1'
const at = (second: number): string => `2026-01-15T12:00:${String(second).padStart(2, '0')}.000Z`
const label = (fields: Partial<Label>, seq?: number): LabelEvent => ({
  type: 'label',
  label: { src, uri, val: 'spam', cts: at(0), ...fields },
  ...(seq !== undefined && { seq, host: 'mod.test' }),
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
    {
      name: 'a label dated in the future is taken back by what comes after it, and holds again when it is made anew (L3)',
      events: [
        label({ cts: '2099-01-01T00:00:00Z' }, 1),
        label({ neg: true, cts: at(1) }, 2),
        label({ cid: 'c1', cts: '2099-01-01T00:00:00Z' }, 3),
      ],
      expected: [row({ neg: true, cts: at(1) }), row({ cid: 'c1', cts: '2099-01-01T00:00:00.000Z' })],
    },
    {
      name: 'an older label without end does not come back when a newer one has ended (L5)',
      events: [label({ cts: at(1) }), label({ cts: at(2), exp: '2026-01-16T00:00:00Z' })],
      expected: [row({ cts: at(2), exp: '2026-01-16T00:00:00.000Z' })],
    },
    {
      name: 'times are compared as instants, and written in the one form (L2, R27)',
      events: [
        label({ cts: '2026-01-15T12:00:01Z' }),
        label({ neg: true, cts: '2026-01-15T13:00:01.5+01:00' }),
        label({ val: 'rude', cts: '2026-01-15T12:00:00.0001Z', neg: true }),
        label({ val: 'rude', cts: '2026-01-15T12:00:00.0002Z' }),
      ],
      expected: [row({ val: 'rude' }), row({ neg: true, cts: '2026-01-15T12:00:01.500Z' })],
    },
    {
      name: 'what Postgres cannot store or read is replaced (D17, J5)',
      events: [label({ val: 'a\0b', exp: 'never' }), label({ cid: 'c\0' })],
      expected: [row({ val: 'a\ufffdb' }), row({ cid: 'c\ufffd' })],
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
          await indexing.query('truncate label, millrace_label, millrace_label_negation')
          for (const batch of batches) await indexing.service.indexLabels(batch)
          expect(await rows(indexing)).toEqual(expected)
        }
      }
    })
  }
})

const known = ({ query }: ExampleIndexing) =>
  query(
    'select src, uri, val, cid, neg, cts, exp from label order by src collate "C", val collate "C" desc, cid collate "C"',
  )
const inOrder = (rows: ReturnType<typeof readersRows>) =>
  rows.toSorted((a, b) => compareText(a.src, b.src) || compareText(b.val, a.val) || compareText(a.cid, b.cid))

pgTest(
  'whatever is said, in any order, by two at once, comes to what it comes to when it is read in one go (G5, X24)',
  { timeout: 60_000 },
  async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await using other = await openExample(databaseUrl)
    for (const [seed, events] of sample(array(saidLabels, { minLength: 8, maxLength: 24 }), {
      numRuns: 25,
      seed: 7,
    }).entries()) {
      await indexing.query('truncate label, millrace_label, millrace_label_negation')
      const orders = ordersOf(events, 2)
      await Promise.all(
        [indexing, other].map(async ({ service }, index) => {
          for (let at = 0; at < events.length; at += 5) await service.indexLabels(orders[index]!.slice(at, at + 5))
        }),
      )
      expect({ seed, rows: await known(indexing) }).toEqual({ seed, rows: inOrder(readersRows(events)) })
    }
  },
)

pgTest('a label that has ended is not served, without any job (L5)', async ({ databaseUrl }) => {
  await using indexing = await openExample(databaseUrl)
  await indexing.service.indexLabels([
    label({ val: 'ended', exp: '2026-01-16T00:00:00Z' }),
    label({ val: 'ends', exp: '2999-01-01T00:00:00Z' }),
    label({ val: 'lasts', exp: 'at no time' }),
  ])
  // As the AppView reads them.
  expect(
    await indexing.query(
      `select val from label where uri = $1 and (exp is null or exp::timestamp > now()) and not neg order by val`,
      uri,
    ),
  ).toEqual([{ val: 'ends' }, { val: 'lasts' }])
})

pgTest('what no index can hold is told, and the others of its batch are written (X21)', async ({ databaseUrl }) => {
  await using indexing = await openExample(databaseUrl)
  const long = label({ uri: `at://did:plc:a/${'x'.repeat(5_000)}` })
  expect(await indexing.service.indexLabels([label({ val: 'one' }), long, label({ val: 'two' })])).toEqual({
    rejected: [{ index: 1, reason: 'too-long', error: expect.any(String) as string }],
  })
  expect(await indexing.query('select val from label order by val')).toEqual([{ val: 'one' }, { val: 'two' }])
})
