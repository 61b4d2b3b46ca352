import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createGuardedFetch, type DidResolver } from '@millrace/identity'
import {
  LocalRepo,
  RepoBackfiller,
  RepoIntake,
  textsOf,
  verifyRepo,
  type OpenedRepo,
  type VerifiedRepo,
} from '@millrace/repo-backfill'
import { groups, streams, type BackfillEvent, type BatchSource } from '@millrace/stream-protocol'
import { measure, measureWarm, type BackfillPart, type BackfillSystem } from './measurement.ts'
import { readRepos, type Repo } from './repo-files.ts'

const run = { host: 'pds.example', time: '2025-01-01T00:00:00.000Z', run: 'bench' }

/** What we do, part by part. */
export const ourBackfill: Record<BackfillPart, BackfillSystem> = {
  async verify({ folder }) {
    const { signingKey, large } = await readRepos(folder)
    const car = await readFile(large.file)
    return await measureWarm(async () => void (await verifyWhole(LocalRepo.of(car), large, signingKey)))
  },

  async entries({ folder }) {
    const { signingKey, large } = await readRepos(folder)
    const repo = await verifyWhole(LocalRepo.of(await readFile(large.file)), large, signingKey)
    return await measureWarm(() => writeEntries(repo))
  },

  async repos({ folder, url }) {
    const { signingKey, small } = await readRepos(folder)
    const resolver: Pick<DidResolver, 'resolve'> = {
      resolve: (did) => Promise.resolve({ kind: 'found', identity: { did, pds: url, signingKey, document: {} } }),
    }
    const fetch = createGuardedFetch({ allowPrivateHosts: true })
    return await measureWarm(async () => {
      const source = new RepoList(small.map(({ did }) => ({ did, host: url, rev: '' })))
      let entries = 0
      const sink = {
        stream: streams.firehoseBackfill,
        append: (texts: readonly string[]) => Promise.resolve(void (entries += texts.length)),
      }
      await new RepoBackfiller({ source, sink, resolver, fetch, concurrency: 8 }).run(source.done)
      const expected = small.reduce((sum, { records }) => sum + records + 1, 0)
      if (entries !== expected) throw new Error(`${entries} entries of ${expected}`)
    })
  },

  async memory({ folder }) {
    const { signingKey, veryLarge } = await readRepos(folder)
    return await measure(async () => {
      using intake = new RepoIntake()
      for await (const part of createReadStream(veryLarge.file)) await intake.write(part as Buffer)
      await writeEntries(await verifyWhole(await intake.end(), veryLarge, signingKey))
    })
  },
}

/** Entries of the large repo, for a comparison. */
export async function ourEntries(folder: string): Promise<string[]> {
  const { signingKey, large } = await readRepos(folder)
  const repo = await verifyWhole(LocalRepo.of(await readFile(large.file)), large, signingKey)
  const texts: string[] = []
  for await (const chunk of repo.entries(run)) if (!chunk.isLast) texts.push(...textsOf(chunk))
  return texts
}

async function verifyWhole(opened: OpenedRepo, { did, records }: Repo, signingKey: string): Promise<VerifiedRepo> {
  const repo = await verifyRepo(opened, { did, signingKey })
  if (repo.records !== records) throw new Error(`${repo.records} records of ${records}`)
  return repo
}

async function writeEntries(repo: VerifiedRepo): Promise<void> {
  let entries = 0
  for await (const chunk of repo.entries(run)) entries += textsOf(chunk).length
  if (entries !== repo.records + 1) throw new Error(`${entries} entries of ${repo.records} records`)
}

/** Repos to fetch, in memory, until the last of them is acked. */
class RepoList implements BatchSource<BackfillEvent> {
  readonly stream = streams.repoBackfill
  readonly group = groups.repoBackfill
  readonly #events: readonly BackfillEvent[]
  readonly #end = new AbortController()
  #left: number

  constructor(events: readonly BackfillEvent[]) {
    this.#events = events
    this.#left = events.length
  }

  get done(): AbortSignal {
    return this.#end.signal
  }

  async *batches(signal: AbortSignal) {
    const entries = this.#events.map((event, index) => ({ id: `${index}-0`, event }))
    const ack = (ids: readonly string[] = []): Promise<void> => {
      this.#left -= ids.length
      if (this.#left === 0) this.#end.abort()
      return Promise.resolve()
    }
    yield { stream: this.stream, entries, rejected: [], ack }
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
}
