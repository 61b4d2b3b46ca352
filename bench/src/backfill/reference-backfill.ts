import { readFile } from 'node:fs/promises'
import { getAndParseRecord, readCarWithRoot, verifyRepo, verifyRepoCar } from '@atproto/repo'
import { lexToJson } from '@atproto/lexicon'
import PQueue from 'p-queue'
import { measure, measureWarm, type BackfillPart, type BackfillSystem } from './measurement.ts'
import { readRepos, type Repo } from './repo-files.ts'

const CONCURRENCY = 2
const CHUNK = 500

/** What `@atproto/repo` does, in the shape of the reference's backfill: two repos at a time, each whole in memory. */
export const referenceBackfill: Record<BackfillPart, BackfillSystem> = {
  async verify({ folder }) {
    const { signingKey, large } = await readRepos(folder)
    const car = await readFile(large.file)
    return await measureWarm(() => verifyWhole(car, large, signingKey))
  },

  async entries({ folder }) {
    const { signingKey, large } = await readRepos(folder)
    const car = await readFile(large.file)
    return await measureWarm(async () => void (await entriesOf(car, large.did, signingKey)))
  },

  async repos({ folder, url }) {
    const { signingKey, small } = await readRepos(folder)
    return await measureWarm(async () => {
      const queue = new PQueue({ concurrency: CONCURRENCY })
      let appended = 0
      const append = (texts: readonly string[]): Promise<void> => Promise.resolve(void (appended += texts.length))
      await queue.addAll(
        small.map(({ did }) => async () => {
          const response = await fetch(`${url}/xrpc/com.atproto.sync.getRepo?did=${did}`)
          const texts = await entriesOf(new Uint8Array(await response.arrayBuffer()), did, signingKey)
          for (let at = 0; at < texts.length; at += CHUNK) await append(texts.slice(at, at + CHUNK))
        }),
      )
      const expected = small.reduce((sum, { records }) => sum + records, 0)
      if (appended !== expected) throw new Error(`${appended} entries of ${expected}`)
    })
  },

  async memory({ folder }) {
    const { signingKey, veryLarge } = await readRepos(folder)
    return await measure(async () => verifyWhole(await readFile(veryLarge.file), veryLarge, signingKey))
  },
}

/** Entries of the large repo, for a comparison. */
export async function referenceEntries(folder: string): Promise<string[]> {
  const { signingKey, large } = await readRepos(folder)
  return await entriesOf(await readFile(large.file), large.did, signingKey)
}

async function verifyWhole(car: Uint8Array, { did, records }: Repo, signingKey: string): Promise<void> {
  const { creates } = await verifyRepoCar(car, did, signingKey)
  if (creates.length !== records) throw new Error(`${creates.length} records of ${records}`)
}

async function entriesOf(car: Uint8Array, did: string, signingKey: string): Promise<string[]> {
  const { root, blocks } = await readCarWithRoot(car)
  const { creates, commit } = await verifyRepo(blocks, root, did, signingKey)
  const texts: string[] = []
  const shared = { seq: -1, time: '2025-01-01T00:00:00.000Z', did, commit: root.toString(), rev: commit.rev }
  for (const { collection, rkey, cid } of creates) {
    const { record } = await getAndParseRecord(blocks, cid)
    texts.push(
      JSON.stringify({ type: 'create', ...shared, collection, rkey, cid: cid.toString(), record: lexToJson(record) }),
    )
  }
  return texts
}
