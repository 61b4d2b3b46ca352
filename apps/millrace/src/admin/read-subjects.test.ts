import type { AdminApi } from '@millrace/admin-api'
import { expect, test } from 'vitest'
import { didsAndUrisOf, didsOf } from './read-subjects.ts'

const alice = 'did:plc:alicealicealicealicealic'
const bob = 'did:plc:bobbobbobbobbobbobbobbob'
const asked: unknown[] = []
const api = {
  call: (name: string, input: unknown) => {
    asked.push([name, input])
    return Promise.resolve({ did: alice })
  },
} as unknown as AdminApi

test('handles, DIDs, URIs and links name accounts, each once', async () => {
  asked.length = 0
  const texts = [
    bob,
    'alice.test',
    `at://${alice}/app.bsky.feed.post/3k`,
    '@Alice.Test',
    `https://bsky.app/profile/${bob}`,
  ]
  expect(await didsOf(texts, api)).toEqual([bob, alice])
  // DIDs need nobody to look them up.
  const lookUp = ['traceSubject', { subject: 'alice.test' }]
  expect(asked).toEqual([lookUp, lookUp])
})

test('a record keeps its path, and has the DID of its account', async () => {
  expect(await didsAndUrisOf(['at://alice.test/app.bsky.feed.post/3k', bob, 'alice.test'], api)).toEqual([
    `at://${alice}/app.bsky.feed.post/3k`,
    bob,
    alice,
  ])
})

test.each(['everything', 'at://', ''])('%j is refused before anybody is asked', async (text) => {
  asked.length = 0
  await expect(didsOf(['alice.test', text], api)).rejects.toThrow(`${JSON.stringify(text)} is no DID, handle or AT-URI`)
  expect(asked).toEqual([])
})
