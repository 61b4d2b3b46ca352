import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { hash } from 'node:crypto'
import { Secp256k1Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { cidForCbor, type Cid } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile, signCommit } from '@atproto/repo'
import { makeRepoCar, type Guest } from '@millrace/dev-network'
import { post, rkeyOf } from './large-repo.ts'

/** A host that does harm, by mistake or on purpose. */
export interface HostileHost {
  /** Part of its handles. */
  name: string
  /** What it does, after "it". */
  does: string
  /** Answers a request for the repo of an account of its own. */
  answer: (response: ServerResponse, guest: Guest) => Promise<void>
}

/** Its own repo, as it should be. */
async function wellMade(
  guest: Guest,
  { did = guest.did, keypair = guest.keypair, records: count = 200 } = {},
): Promise<Buffer> {
  const records = Array.from({ length: count }, (_, n) => post(n, 100))
  return await makeRepoCar({ did, rev: guest.rev, keypair, records })
}

const carHead = { 'content-type': 'application/vnd.ipld.car' }

/** Sends part after part as fast as they are taken, until there is none or nobody listens. */
async function send(response: ServerResponse, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  const closed = new Promise<void>((resolve) => response.once('close', () => resolve()))
  for await (const part of parts) {
    if (response.destroyed) return
    if (!response.write(part))
      await Promise.race([new Promise<void>((resolve) => response.once('drain', () => resolve())), closed])
  }
  response.end()
}

/** Blocks of no tree, each with the right hash, after the beginning of a repo. */
function* endless(car: Buffer): Generator<Buffer> {
  yield car
  // Made once: it is not to be slower than who reads it.
  const blocks = Buffer.concat(Array.from({ length: 4_000 }, (_, n) => section(Buffer.alloc(1_000, `${n} `))))
  for (;;) for (let at = 0; at < blocks.length; at += 65_536) yield blocks.subarray(at, at + 65_536)
}

/** A block as it stands in a file. */
function section(block: Buffer): Buffer {
  const cid = Buffer.concat([Buffer.from('01711220', 'hex'), hash('sha256', block, 'buffer')])
  const length = cid.length + block.length
  return Buffer.concat([Buffer.from([(length & 127) | 128, length >> 7]), cid, block])
}

/** A tree of few nodes, each of which is below the next one twice: ways through it double with each layer. */
async function exponential({ did, rev, keypair }: Guest): Promise<Uint8Array> {
  const blocks = new BlockMap()
  const add = async (value: Parameters<typeof encode>[0]): Promise<Cid> => {
    const bytes = encode(value)
    const cid = await cidForCbor(bytes)
    blocks.set(cid, bytes)
    return cid
  }
  const record = await add({ text: 'a' })
  let below: Cid | null = null
  for (let layer = 0; layer < 9; layer++)
    below = await add({ l: below, e: [{ p: 0, k: Buffer.from(keyOn(layer)), v: record, t: below }] })
  const commit = await add(await signCommit({ did, version: 3, rev, prev: null, data: below! }, keypair))
  return await blocksToCarFile(commit, blocks)
}

/** Some key whose hash puts it on a layer. */
function keyOn(layer: number): string {
  for (let n = 0; ; n++) {
    const key = `app.bsky.feed.post/${n}`
    const zeros = Math.clz32(hash('sha256', key, 'buffer').readUInt32BE())
    if (zeros >> 1 === layer) return key
  }
}

/** All that have been met, one each. */
export const hostileHosts: readonly HostileHost[] = [
  {
    name: 'drip',
    does: 'sends 1,200 bytes a second, a little more than is asked of a host, of 2 MB',
    async answer(response, guest) {
      const car = await wellMade(guest, { records: 6_000 })
      response.writeHead(200, carHead)
      for (let at = 0; at < car.length && !response.destroyed; at += 300) {
        response.write(car.subarray(at, at + 300))
        await wait(250)
      }
      response.end()
    },
  },
  {
    name: 'endless',
    does: 'sends blocks for ever, as fast as they are taken',
    async answer(response, guest) {
      response.writeHead(200, carHead)
      await send(response, endless(await wellMade(guest)))
    },
  },
  {
    name: 'exponential',
    does: 'sends a tree of 3 KB with more ways through it than could be taken',
    async answer(response, guest) {
      response.writeHead(200, carHead).end(await exponential(guest))
    },
  },
  {
    name: 'other-key',
    does: 'signs with a key that is not the account’s',
    async answer(response, guest) {
      response.writeHead(200, carHead).end(await wellMade(guest, { keypair: await Secp256k1Keypair.create() }))
    },
  },
  {
    name: 'inward',
    does: 'sends on to the address that clouds tell their secrets at',
    async answer(response) {
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end()
    },
  },
  {
    name: 'refusing',
    does: 'answers 429 for ever, with Retry-After',
    async answer(response) {
      response.writeHead(429, { 'retry-after': '2' }).end()
    },
  },
  {
    name: 'failing',
    does: 'answers 500',
    async answer(response) {
      response.writeHead(500).end()
    },
  },
  {
    name: 'truncating',
    does: 'ends every file early, at the boundary of a block, as if it were whole',
    async answer(response, guest) {
      const car = await wellMade(guest)
      response.writeHead(200, carHead).end(car.subarray(0, boundaryNear(car, car.length * 0.7)))
    },
  },
  {
    name: 'forging',
    does: 'serves the repo of another account',
    async answer(response, guest) {
      response.writeHead(200, carHead).end(await wellMade(guest, { did: `did:plc:${rkeyOf(1)}aaaaaaaaaaa` }))
    },
  },
  {
    name: 'resetting',
    does: 'breaks the connection off after the first bytes',
    async answer(response, guest) {
      const car = await wellMade(guest)
      response.writeHead(200, { ...carHead, 'content-length': car.length })
      response.write(car.subarray(0, 4_000), () => response.socket?.resetAndDestroy())
    },
  },
]

/** The end of a section. */
function boundaryNear(car: Buffer, wanted: number): number {
  let at = 0
  while (at < wanted) {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = car[at++]!
      length += (byte & 127) << shift
      if (byte < 128) break
    }
    at += length
  }
  return at
}
