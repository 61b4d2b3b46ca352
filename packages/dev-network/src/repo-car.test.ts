import { Secp256k1Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { verifyRepoCar } from '@atproto/repo'
import { expect, test } from 'vitest'
import { makeRepoCar } from './repo-car.ts'
import { SignedRepo } from './signed-repo.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const rev = '3lqjmnw2c2k2a'
const keypair = await Secp256k1Keypair.create()

test.each([0, 1, 300])('a repo of %d records is the one that writing them makes, and verifies', async (count) => {
  const records = Array.from(
    { length: count },
    (_, n) => [`app.bsky.feed.${n % 3 ? 'post' : 'like'}/${n}`, encode({ text: `${n}` })] as const,
  )
  const written = await SignedRepo.create(did, keypair, '3lqjmnw2c222a')
  await written.commit(
    records.map(([path, bytes]) => ({ action: 'create', path, bytes })),
    rev,
  )
  const car = await makeRepoCar({ did, rev, keypair, records })
  const { creates, commit } = await verifyRepoCar(car, did, keypair.did())
  expect(creates).toHaveLength(count)
  expect(commit.rev).toBe(rev)
  expect(car.includes(Buffer.from(written.head.data.bytes))).toBe(true)
})
