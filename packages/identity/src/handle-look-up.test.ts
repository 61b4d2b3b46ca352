import { expect, test } from 'vitest'
import type { DidResolution } from './did-resolver.ts'
import { TemporaryIdentityError } from './errors.ts'
import { handleLookUp } from './handle-look-up.ts'

const alice = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const bob = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
const found: DidResolution = { kind: 'found', identity: { did: alice, handle: 'Alice.example.com', document: {} } }

test.each([
  { name: 'a handle that leads back', resolution: found, points: alice, handle: 'alice.example.com', gone: [] },
  { name: 'a handle of somebody else (D2)', resolution: found, points: bob, handle: null, gone: [] },
  { name: 'an account that is not there', resolution: absent(false), points: alice, handle: null, gone: [] },
  { name: 'one that is gone for good (D8)', resolution: absent(true), points: alice, handle: null, gone: [alice] },
])('$name gives $handle', async ({ resolution, points, handle, gone }) => {
  const asked: unknown[] = []
  const tombstones: string[] = []
  const lookUp = handleLookUp({
    dids: { resolve: async (did, options) => (asked.push([did, options]), resolution) },
    handles: { resolve: async () => points },
    onTombstone: async (did) => void tombstones.push(did),
  })
  expect(await lookUp(alice, { fresh: true })).toBe(handle)
  expect(asked).toEqual([[alice, { fresh: true, patient: false }]])
  expect(tombstones).toEqual(gone)
})

test('what cannot be known now is no answer (D1)', async () => {
  const failure = new TemporaryIdentityError(alice, 'plc')
  const lookUp = handleLookUp({
    dids: { resolve: () => Promise.reject(failure) },
    handles: { resolve: async () => alice },
  })
  await expect(lookUp(alice)).rejects.toBe(failure)
})

function absent(tombstoned: boolean): DidResolution {
  return { kind: 'absent', tombstoned }
}
