import { hash } from 'node:crypto'
import { Secp256k1Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { makeRepoCar } from '@millrace/dev-network'
import { describe, expect, onTestFinished, test } from 'vitest'
import { textsOf } from './entry-chunk.ts'
import { LocalRepo } from './local-repo.ts'
import type { OpenedRepo } from './opened-repo.ts'
import { RepoIntake } from './repo-intake.ts'
import { RepoWorkers, type RemoteRepo } from './repo-workers.ts'
import { verifyRepo } from './verify-repo.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const keypair = await Secp256k1Keypair.create()
const signingKey = keypair.did()

function carOf(records: number, text = ''): Promise<Buffer> {
  return makeRepoCar({
    did,
    rev: '3lqjmnw2c2k2a',
    keypair,
    records: Array.from({ length: records }, (_, n) => [`app.bsky.feed.post/${n}`, encode({ text: `${text}${n}` })]),
  })
}
const small = await carOf(10)
const large = await carOf(1_000)
/** More than one segment. */
const larger = await carOf(100, 'x'.repeat(100_000))

function newWorkers(threads?: number): RepoWorkers {
  const workers = new RepoWorkers(threads === undefined ? {} : { threads })
  onTestFinished(() => workers[Symbol.asyncDispose]())
  return workers
}

/** As a host sends it, in parts. */
async function receive(car: Buffer, workers?: RepoWorkers): Promise<OpenedRepo> {
  using intake = new RepoIntake(workers)
  for (let at = 0; at < car.length; at += 10_000) await intake.write(car.subarray(at, at + 10_000))
  return await intake.end()
}

async function textsIn(repo: OpenedRepo, collections?: readonly string[]): Promise<string[]> {
  const verified = await verifyRepo(repo, { did, signingKey })
  const texts: string[] = []
  const run = {
    host: 'pds.example',
    time: '2025-01-01T00:00:00.000Z',
    run: 'one',
    chunkSize: 70,
    ...(collections && { collections }),
  }
  for await (const chunk of verified.entries(run)) texts.push(...textsOf(chunk))
  return texts
}

describe('a repo in a worker', () => {
  test('gives the entries that it gives here, also when several are read at once', async () => {
    const workers = newWorkers(2)
    const cars = [large, larger, large]
    const remote = await Promise.all(cars.map((car) => receive(car, workers)))
    expect(remote.map((repo) => repo instanceof LocalRepo)).toEqual([false, false, false])
    const local = await Promise.all(cars.map(async (car) => textsIn(LocalRepo.of(car))))
    expect(await Promise.all(remote.map((repo) => textsIn(repo)))).toEqual(local)
    expect(remote.map(({ bytes }) => bytes)).toEqual(cars.map((car) => car.length))
    for (const repo of remote) repo[Symbol.dispose]()
  })

  test('gives those collections alone that are taken, as it does here (I25)', async () => {
    const likes = Array.from({ length: 1_000 }, (_, n): [string, Uint8Array] => [
      `app.bsky.feed.like/${n}`,
      encode({ n }),
    ])
    const rev = '3lqjmnw2c2k2a'
    const post: [string, Uint8Array] = ['app.bsky.feed.post/1', encode({ text: 'a' })]
    const car = await makeRepoCar({ did, rev, keypair, records: [...likes, post] })
    const remote = await receive(car, newWorkers(1))
    expect(remote).not.toBeInstanceOf(LocalRepo)
    const texts = await textsIn(remote, ['app.bsky.feed.post'])
    expect(texts.map((text) => JSON.parse(text) as object)).toMatchObject([
      { type: 'create', op: 0, collection: 'app.bsky.feed.post', rkey: '1' },
      { type: 'repo', records: 1 },
    ])
    expect(texts).toEqual(await textsIn(LocalRepo.of(car), ['app.bsky.feed.post']))
    remote[Symbol.dispose]()
  })

  test('is refused for the rule that it breaks, with the words that it is refused with here (G5)', async () => {
    const workers = newWorkers(1)
    const forged = Buffer.from(large)
    forged[forged.length - 1]! ^= 1
    const data = (car: OpenedRepo) => verifyRepo(car, { did, signingKey }).catch((error: unknown) => error)
    const here = await data(LocalRepo.of(forged))
    expect(here).toMatchObject({ cause: { rule: 'block-hash' } })
    expect(await data(await receive(forged, workers))).toEqual(here)
  })

  test('a file without its commit is refused when it is opened', async () => {
    const workers = newWorkers(1)
    const header = 1 + large[0]!
    // The commit is the first block.
    const section = large[header]! + (large[header + 1]! << 7) - 128 + 2
    const without = Buffer.concat([large.subarray(0, header), large.subarray(header + section)])
    await expect(receive(without, workers)).rejects.toMatchObject({ rule: 'block-missing' })
  })

  test('has whoever brings it wait for its thread, so that little has come that nobody has read', async () => {
    const workers = newWorkers(1)
    const block = Buffer.alloc(1_000_000)
    const cid = Buffer.concat([Buffer.from('01711220', 'hex'), hash('sha256', block, 'buffer')])
    const length = cid.length + block.length
    const section = Buffer.concat([
      Buffer.from([(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14]),
      cid,
      block,
    ])
    using intake = new RepoIntake(workers)
    await intake.write(large)
    const behind = Array.from({ length: 40 }, () => intake.write(section))
    expect(behind[0]).toBeUndefined()
    expect(behind.some((catchingUp) => catchingUp !== undefined)).toBe(true)
    for (const catchingUp of behind) await catchingUp
    expect((await intake.end()).bytes).toBe(large.length + 40 * section.length)
  })

  test('that is small stays here, where it takes less time than telling of it', async () => {
    expect(await receive(small, newWorkers(1))).toBeInstanceOf(LocalRepo)
  })

  test('whose entries nobody wants any more is forgotten', async () => {
    const workers = newWorkers(1)
    const repo = await receive(large, workers)
    const verified = await verifyRepo(repo, { did, signingKey })
    for await (const chunk of verified.entries({ host: 'x', time: 'x', run: 'x', chunkSize: 10 })) {
      expect(chunk.ends).toHaveLength(10)
      break
    }
    repo[Symbol.dispose]()
    expect((await textsIn(await receive(large, workers))).length).toBe(1_001)
  })

  test('fails when its thread ends, and the next one is read in another', async () => {
    const workers = newWorkers(1)
    const repo = (await receive(large, workers)) as RemoteRepo
    await workers[Symbol.asyncDispose]()
    await expect(textsIn(repo)).rejects.toThrow('the thread that reads large repos has ended')
    expect((await textsIn(await receive(large, workers))).length).toBe(1_001)
  })
})
