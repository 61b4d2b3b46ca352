import { expect, test } from 'vitest'
import { takeLocks } from './stored-state.ts'

test('locks are taken in one order, whatever they are about (X3)', () => {
  const names = ['did:plc:a', 'did:plc:b', 'did:plc:c', 'did:plc:d', 'did:plc:e', 'did:plc:f']
  const keysOf = (dids: string[], others: string[]): bigint[] => takeLocks(dids, others).values[0] as bigint[]
  const keys = keysOf(names, [])
  expect(new Set(keys).size).toBe(names.length)
  expect(keysOf(names.toReversed(), [])).toEqual(keys)
  expect(keysOf(names.slice(3), names.slice(0, 3))).toEqual(keys)
})
