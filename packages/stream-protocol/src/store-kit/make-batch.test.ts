import { expect, test } from 'vitest'
import { InvalidEventError, type Codec } from '../index.ts'
import { makeBatch } from './make-batch.ts'

const codec: Codec<number> = {
  field: 'event',
  encode: String,
  decode: (text) => {
    if (!/^\d+$/.test(text)) throw new InvalidEventError('bad-number', 'not a number')
    return Number(text)
  },
}

function batchOf(texts: (string | null | undefined)[], ack: (ids: string[]) => Promise<void> = async () => undefined) {
  const held = new Set(['0-0'])
  const stored = texts.map((text, i) => ({ id: `1-${i}`, text }))
  return { held, batch: makeBatch({ stream: 's', codec, stored, held, ack }) }
}

test('entries and what is none are told apart, each in order', () => {
  const { batch } = batchOf(['1', 'x', null, '2', undefined])
  expect(batch.entries).toEqual([
    { id: '1-0', event: 1 },
    { id: '1-3', event: 2 },
  ])
  expect(batch.rejected.map(({ id, raw, error }) => [id, raw, error.reason])).toEqual([
    ['1-1', 'x', 'bad-number'],
    ['1-2', null, 'gone'],
    ['1-4', null, 'no-field'],
  ])
})

test('entries are held until they are acked', async () => {
  const acks: string[][] = []
  const { batch, held } = batchOf(['1', 'x', '3'], async (ids) => void acks.push(ids))
  expect([...held]).toEqual(['0-0', '1-0', '1-1', '1-2'])
  await batch.ack(['1-1'])
  expect([...held]).toEqual(['0-0', '1-0', '1-2'])
  await batch.ack()
  await batch.ack()
  expect([...held]).toEqual(['0-0'])
  expect(acks).toEqual([['1-1'], ['1-0', '1-2']])
})

test('ids of other batches are not acked here', async () => {
  const acks: string[][] = []
  const { batch, held } = batchOf(['1'], async (ids) => void acks.push(ids))
  await batch.ack(['0-0'])
  expect([acks, held.size]).toEqual([[], 2])
})

test('an ack that fails leaves its entries held, to be acked again', async () => {
  let failures = 1
  const { batch, held } = batchOf(['1'], async () => {
    if (failures-- > 0) throw new Error('store is away')
  })
  await expect(batch.ack()).rejects.toThrow('store is away')
  expect(held.has('1-0')).toBe(true)
  await batch.ack()
  expect(held.has('1-0')).toBe(false)
})
