import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Secp256k1Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { makeRepoCar } from '@millrace/dev-network'
import { newRecords } from '../workload/new-records.ts'

/** Repos of a benchmark, as files; all of one key, so that nobody waits for a directory. */
export interface Repos {
  signingKey: string
  large: Repo
  veryLarge: Repo
  small: Repo[]
}

export interface Repo {
  did: string
  file: string
  records: number
}

export interface RepoSizes {
  /** Records of the large repo. */
  large: number
  /** Bytes of the very large one. */
  veryLargeBytes: number
  small: { repos: number; records: number }
}

const REV = '3lqjmnw2c2k2a'
const TEMPLATES = 4_000
/** What a record takes in a file beside its block: its CID twice, and its part of the tree. */
const BESIDE_RECORD = 130
const digits = '234567abcdefghijklmnopqrstuvwxyz'

/** Makes repos of the live mix in a folder of their own, which goes with what is returned. */
export async function makeRepoFiles(sizes: RepoSizes): Promise<AsyncDisposable & { folder: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-backfill-'))
  const keypair = await Secp256k1Keypair.create()
  const templates = newRecords(TEMPLATES).map(({ collection, record }) => ({ collection, record }))

  const blockOf = (index: number): readonly [path: string, block: Uint8Array] => {
    const { collection, record } = templates[index % TEMPLATES]!
    // No two blocks are the same.
    const createdAt = new Date(1_760_000_000_000 + index * 1_000).toISOString()
    return [`${collection}/${tidOf(index)}`, encode({ ...record, createdAt })]
  }
  const write = async (
    name: string,
    from: number,
    isEnough: (records: number, bytes: number) => boolean,
  ): Promise<Repo> => {
    const did = `did:web:${name}.example.com`
    const records: (readonly [string, Uint8Array])[] = []
    for (let bytes = 0; !isEnough(records.length, bytes);) {
      const entry = blockOf(from + records.length)
      records.push(entry)
      bytes += entry[1].length + BESIDE_RECORD
    }
    const file = path.join(folder, `${name}.car`)
    await writeFile(file, await makeRepoCar({ did, rev: REV, keypair, records }))
    return { did, file, records: records.length }
  }

  const repos: Repos = {
    signingKey: keypair.did(),
    large: await write('large', 0, (records) => records === sizes.large),
    veryLarge: await write('very-large', 0, (_, bytes) => bytes >= sizes.veryLargeBytes),
    small: [],
  }
  for (let index = 0; index < sizes.small.repos; index++)
    repos.small.push(await write(`small-${index}`, index * 37, (records) => records === sizes.small.records))
  await writeFile(path.join(folder, 'repos.json'), JSON.stringify(repos))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

export async function readRepos(folder: string): Promise<Repos> {
  return JSON.parse(await readFile(path.join(folder, 'repos.json'), 'utf8')) as Repos
}

function tidOf(index: number): string {
  let rest = BigInt(1_760_000_000_000_000 + index * 1_000_003) << 10n
  let tid = ''
  while (tid.length < 13) {
    tid = digits[Number(rest & 31n)]! + tid
    rest >>= 5n
  }
  return tid
}
