import { expect, test } from 'vitest'
import { lockKey, lockNamespaces, type LockNamespace } from './locks.ts'

test('a key begins with our byte and its namespace, and is positive as Postgres reads it (X20)', () => {
  for (const [namespace, number] of Object.entries(lockNamespaces)) {
    const key = lockKey(namespace as LockNamespace, 'did:plc:alice')
    expect(key >> 48n).toBe(0x4d00n | BigInt(number))
    expect(BigInt.asIntN(64, key)).toBe(key)
  }
})

test('a key stays what it is: other releases take the same lock', () => {
  expect(lockKey('migration', 'schema').toString(16)).toBe('4d01df0ad6e43880')
})

test('texts and namespaces have keys of their own', () => {
  const keys = [lockKey('repo', 'did:plc:a'), lockKey('repo', 'did:plc:b'), lockKey('handle', 'did:plc:a')]
  expect(new Set(keys).size).toBe(3)
})
