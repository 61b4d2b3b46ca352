import type { StreamEvent } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { createEvent } from '../testing/index.ts'
import { decideAccount, isPassedOver, type HostWord, type PdsAnswer } from './account-state.ts'

const said = (status: string | null, more: Partial<HostWord> = {}): HostWord => ({
  host: 'relay.test',
  active: false,
  status,
  epoch: 0,
  seq: 10,
  ...more,
})
const active = (more: Partial<HostWord> = {}) => said(null, { active: true, ...more })
const elsewhere = { host: 'other.test' }
const met = { host: 'pds.test', seq: -1 }

interface Case {
  name: string
  words: HostWord[]
  answer?: PdsAnswer
  deleted?: boolean
  asks?: boolean
  /** hidden, then what else holds. */
  expected: [hidden: string | null, ...('held' | 'deleted' | 'ask')[]]
}

const cases: Record<string, Case[]> = {
  'what hosts say, before the PDS was asked (I22, I23)': [
    { name: 'nothing', words: [], expected: [null] },
    { name: 'active', words: [active()], expected: [null] },
    {
      name: 'deactivated: hidden at once, and its PDS is asked',
      words: [said('deactivated')],
      expected: ['deactivated', 'held', 'ask'],
    },
    { name: 'inactive without a reason', words: [said(null)], expected: ['inactive', 'held', 'ask'] },
    { name: 'something that nobody knows', words: [said('on holiday')], expected: ['on holiday', 'held', 'ask'] },
    { name: 'taken down: nobody else has a say', words: [said('takendown')], expected: ['takendown', 'held'] },
    { name: 'suspended: nobody else has a say', words: [said('suspended')], expected: ['suspended', 'held'] },
    {
      name: 'one says active, another one not',
      words: [active(), said('deactivated', elsewhere)],
      expected: ['deactivated', 'held', 'ask'],
    },
    {
      name: 'one takes it down, another one only sees it gone',
      words: [said('takendown'), said('deactivated', elsewhere)],
      expected: ['takendown', 'held', 'ask'],
    },
    {
      name: 'deleted: hidden at once, and nothing is removed before its PDS was asked',
      words: [said('deleted')],
      expected: ['deleted', 'held', 'ask'],
    },
    {
      name: 'deleted, where nobody asks',
      words: [said('deleted')],
      asks: false,
      expected: ['deleted', 'held', 'deleted'],
    },
    {
      name: 'deleted still, as was decided before',
      words: [said('deleted')],
      deleted: true,
      expected: ['deleted', 'held', 'deleted'],
    },
    { name: 'active again, after it was deleted', words: [active()], deleted: true, expected: [null] },
  ],
  'what a backfill met (I23, B3)': [
    { name: 'hides at most', words: [said('deleted', met)], expected: ['deleted'] },
    { name: 'hides at most, where nobody asks', words: [said('deleted', met)], asks: false, expected: ['deleted'] },
    {
      name: 'hides nothing of what a firehose shows, and is a reason to ask',
      words: [active(), said('deactivated', met)],
      expected: [null, 'ask'],
    },
  ],
  'what the PDS answers (D9)': [
    {
      name: 'active: what a former PDS said is over',
      words: [said('deactivated')],
      answer: { answer: 'active' },
      expected: [null],
    },
    {
      name: 'active: also when it was said to be deleted',
      words: [said('deleted')],
      answer: { answer: 'active' },
      expected: [null],
    },
    {
      name: 'active: a relay that takes it down hides it regardless',
      words: [said('takendown')],
      answer: { answer: 'active' },
      expected: ['takendown', 'held'],
    },
    {
      name: 'inactive, for its own reason',
      words: [said('deleted')],
      answer: { answer: 'inactive', status: 'deactivated' },
      expected: ['deactivated', 'held'],
    },
    {
      name: 'inactive, whatever a relay says',
      words: [active()],
      answer: { answer: 'inactive', status: null },
      expected: ['inactive', 'held'],
    },
    {
      name: 'deleted, in its own words',
      words: [active()],
      answer: { answer: 'inactive', status: 'deleted' },
      expected: ['deleted', 'held', 'deleted'],
    },
    {
      name: 'that it does not know the account: it is deleted if a firehose says so',
      words: [said('deleted')],
      answer: { answer: 'unknown' },
      expected: ['deleted', 'held', 'deleted'],
    },
    {
      name: 'that it does not know the account: a firehose counts',
      words: [said('deactivated')],
      answer: { answer: 'unknown' },
      expected: ['deactivated', 'held'],
    },
    {
      name: 'that it does not know the account, which is no reason to remove it',
      words: [active()],
      answer: { answer: 'unknown' },
      expected: [null],
    },
    {
      name: 'that it does not know what a backfill could not find',
      words: [said('deleted', met)],
      answer: { answer: 'unknown' },
      expected: ['deleted'],
    },
    {
      name: 'nothing, for the DID is gone for good (D8)',
      words: [active()],
      answer: { answer: 'tombstoned' },
      expected: ['deleted', 'held', 'deleted'],
    },
  ],
}
for (const [title, group] of Object.entries(cases)) {
  test.each(group)(`${title}: $name`, ({ words, answer = null, deleted = false, asks = true, expected }) => {
    for (const order of [words, words.toReversed()]) {
      const { hidden, ...rest } = decideAccount(order, { answer, deleted, asks })
      const holds = (Object.keys(rest) as (keyof typeof rest)[]).filter((key) => rest[key])
      expect([hidden, ...holds]).toEqual(expected)
    }
  })
}

describe('of an account that is inactive, what its host sent before it said so is applied (G5, I23)', () => {
  const commit = (fields: object): StreamEvent => ({
    ...createEvent({ did: 'did:plc:a', record: { $type: 'a.b.c' } }),
    host: 'relay.test',
    ...fields,
  })
  const words = [said('deactivated', { epoch: 1 })]
  const account = { hidden: 'deactivated', held: true, deleted: false, words }
  test.each([
    { name: 'before it', event: commit({ seq: 9, epoch: 1 }), over: false },
    { name: 'after it', event: commit({ seq: 11, epoch: 1 }), over: true },
    { name: 'before the host lost its numbers', event: commit({ seq: 11 }), over: false },
    { name: 'after the host lost its numbers again', event: commit({ seq: 9, epoch: 2 }), over: true },
    {
      name: 'by another host, which is not to be compared',
      event: commit({ seq: 9, epoch: 1, host: 'other.test' }),
      over: true,
    },
    { name: 'by a host that is not named', event: commit({ seq: 9, host: undefined }), over: true },
    { name: 'out of a whole repo', event: commit({ seq: -1 }), over: true },
  ])('sent $name', ({ event, over }) => {
    expect(isPassedOver(event, account)).toBe(over)
    expect(isPassedOver(event, { ...account, deleted: true })).toBe(true)
    expect(isPassedOver(event, { ...account, held: false })).toBe(false)
  })
})
