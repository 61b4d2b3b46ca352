import { setTimeout as wait } from 'node:timers/promises'
import { makeRepoCar, Random, startSimulatedNetwork, type Guest, type SimulatedNetwork } from '@millrace/dev-network'
import { streams } from '@millrace/stream-protocol'
import { peakMegabytes } from '@millrace/testing/results'
import { FourApps } from '../pipeline/four-apps.ts'
import { TestPool } from '../pipeline/test-pool.ts'
import { readStatus } from '../pipeline/wait-until-indexed.ts'
import { seconds } from '../seconds.ts'
import { compareAll, compareSample, countRecords, type Difference } from './compare-repos.ts'
import { serveGuests, serveHostileGuests, type GuestHost } from './guest-hosts.ts'
import type { HostileHost } from './hostile-hosts.ts'
import { manyBytes, manyRecords, type RecordBlock } from './large-repo.ts'
import { measureLiveLag } from './live-lag.ts'

export interface InletsOptions {
  /** Both empty. */
  redisUrl: string
  databaseUrl: string
  form: 'source' | 'built'
  /** Pauses of the processes are shorter by this factor. @default 1 */
  haste?: number
  /** Repos of the network itself, and about so many records in each. */
  repos: number
  recordsPerRepo: number
  /** Size of one large repo, and records of another. */
  manyBytes: number
  manyRecords: number
  /** Hosts that do harm. */
  hostile: readonly HostileHost[]
  /** Accounts that each of them has. */
  guestsPerHost: number
  /** Repos that the backfiller fetches at a time. */
  concurrency: number
  /** Operations a second that the network writes beside the records whose way is measured. */
  rate: number
  seed: number
  timeoutMs: number
  say: (text: string) => void
}

interface LargeRepo {
  what: string
  records: number
  bytes: number
  difference: Difference
}

export interface InletsResult {
  small: { repos: number; records: number; difference: Difference }
  large: LargeRepo[]
  hostile: { name: string; does: string; accounts: number; requests: number; refusedAs: string[] }[]
  /** Records of hostile accounts that became rows. */
  hostileRows: number
  /** From the start of the processes to the last honest repo, and to the last row. */
  backfillMs: number
  indexedMs: number
  /** Of records that were written while the backfill went on, from firehose to row, in milliseconds. */
  lags: number[]
  /** Most memory that each process ever took. */
  peakMegabytes: Record<'ingester' | 'backfiller' | 'indexer', number>
}

const SAMPLE = 2_000
/** Accounts that write the records whose way is measured. */
const WRITERS = 4

/** A network of small repos, two large ones and ten hosts that do harm, through the four apps, while it writes. */
export async function playInlets(options: InletsOptions): Promise<InletsResult> {
  const {
    redisUrl,
    databaseUrl,
    form,
    haste = 1,
    repos,
    recordsPerRepo,
    concurrency,
    rate,
    seed,
    timeoutMs,
    say,
  } = options
  await using stack = new AsyncDisposableStack()
  const network = stack.use(
    await startSimulatedNetwork({ accounts: repos, recordsPerAccount: recordsPerRepo, seed, rate, time: 'real' }),
  )
  say(`${repos} small repos with ${network.totals().recordCount} records are there.`)
  const large = [
    await addLarge(network, stack, { what: 'much text', table: 'post' }, () => manyBytes(options.manyBytes)),
    await addLarge(network, stack, { what: 'many records', table: 'list_item' }, ({ did }) =>
      manyRecords(did, options.manyRecords),
    ),
  ]
  for (const { records, car } of large)
    say(`A repo of ${records.length} records has ${megabytes(car.length)} as a file.`)
  const hostile = await serveHostileGuests(options.hostile, stack)
  // In turns, so that all of them are met at once.
  for (let n = 0; n < options.guestsPerHost; n++)
    for (const { name, host } of hostile)
      host.guests.push(await network.addGuest({ handle: `${name}-${n}.test`, pdsUrl: host.url }))
  say(`${hostile.length} hosts that do harm have ${options.guestsPerHost} accounts each.`)

  const pool = stack.use(new TestPool(databaseUrl))
  const four = stack.use(
    await FourApps.start({
      network,
      redisUrl,
      databaseUrl,
      form,
      env: {
        BACKFILLER_CONCURRENCY: String(concurrency),
        INDEXER_NOTIFICATION_HORIZON: '3d',
        ...(haste > 1 && { MILLRACE_HASTE: String(haste) }),
      },
    }),
  )
  const honest = [...network.accounts.map(({ did }) => did), ...large.map(({ guest }) => guest.did)]
  const until = async (what: string, look: () => Promise<number>): Promise<void> => {
    const endsAt = performance.now() + timeoutMs
    for (let said = performance.now(), left = await look(); left > 0; left = await look(), await wait(250)) {
      four.assertRunning()
      if (performance.now() > said + 15_000) {
        say(`  ${left} ${what}`)
        said = performance.now()
      }
      if (performance.now() < endsAt) continue
      const words = Object.values(four.apps).map(({ name, output }) => `${name}: ${output.slice(-3_000)}`)
      throw new Error(`${left} ${what} after ${timeoutMs / 1_000} s\n${words.join('\n')}`)
    }
  }

  await until('connections to come', async () => (network.relay.connections > 0 ? 0 : 1))
  await until('tables to be made', async () => {
    const { rows } = await pool.query<{ is: boolean }>(`select to_regclass('bsky.millrace_dirty') is not null as is`)
    return rows[0]!.is ? 0 : 1
  })
  const startedAt = performance.now()
  const stop = new AbortController()
  const traffic = network.run(stop.signal)
  const writers = network.accounts.slice(0, WRITERS)
  const lagging = measureLiveLag({ pool, writers, signal: stop.signal })
  try {
    await until('honest repos that are not in yet', () => unfetched(pool, honest))
    say('Every honest repo is in.')
  } finally {
    stop.abort()
  }
  const [lags] = await Promise.all([lagging, traffic])
  const backfillMs = performance.now() - startedAt
  const head = network.head()
  await until('entries, frames or marks of honest accounts left', () => leftToDo(four, pool, honest, head))
  const indexedMs = performance.now() - startedAt
  say(`All that is honest is in the rows after ${seconds(indexedMs)}.`)

  const random = new Random(seed)
  const small = network.accounts.map(({ did }) => did)
  const guests = hostile.flatMap(({ host }) => host.guests)
  return {
    small: {
      repos: small.length,
      records: network.totals().recordCount,
      difference: await compareAll(pool, small, network.records()),
    },
    large: await Promise.all(
      large.map(async ({ guest, records, car, table, what }) => ({
        what,
        records: records.length,
        bytes: car.length,
        difference: await compareSample({ pool, did: guest.did, records, sample: SAMPLE, random, table }),
      })),
    ),
    hostile: await Promise.all(
      hostile.map(async ({ name, does, host }) => ({
        name,
        does,
        accounts: host.guests.length,
        requests: host.requests(),
        refusedAs: await refusedAs(pool, host.guests),
      })),
    ),
    hostileRows: await countRecords(
      pool,
      guests.map(({ did }) => did),
    ),
    backfillMs,
    indexedMs,
    lags,
    peakMegabytes: {
      ingester: await peakMegabytes(four.apps.ingester.pid),
      backfiller: await peakMegabytes(four.apps.backfiller.pid),
      indexer: await peakMegabytes(four.apps.indexer.pid),
    },
  }
}

interface GuestRepo {
  what: string
  guest: Guest
  records: RecordBlock[]
  car: Buffer
  /** What its records become rows of. */
  table: string
}

/** Adds an account whose repo is made in one go, and served by a host of its own. */
async function addLarge(
  network: SimulatedNetwork,
  stack: AsyncDisposableStack,
  { what, table }: Pick<GuestRepo, 'what' | 'table'>,
  recordsOf: (guest: Guest) => RecordBlock[],
): Promise<GuestRepo> {
  let car: Buffer = Buffer.alloc(0)
  const host: GuestHost = stack.use(
    await serveGuests(async (response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.ipld.car', 'content-length': car.length }).end(car)
    }),
  )
  const guest = await network.addGuest({ handle: `${what.replaceAll(' ', '-')}.test`, pdsUrl: host.url })
  host.guests.push(guest)
  const records = recordsOf(guest)
  car = await makeRepoCar({ did: guest.did, rev: guest.rev, keypair: guest.keypair, records })
  return { what, guest, records, car, table }
}

/** Accounts of which no whole repo is in the rows. */
async function unfetched(pool: TestPool, dids: readonly string[]): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from bsky.millrace_repo where did = any ($1::text[]) and floor_rev is not null`,
    [dids],
  )
  return dids.length - rows[0]!.count
}

/** What is still to come into the rows, those of hostile hosts left out. */
async function leftToDo(four: FourApps, pool: TestPool, dids: readonly string[], head: number): Promise<number> {
  const status = await readStatus(four)
  if (!status || status.streams.length === 0) return 1
  const lengthOf = (stream: string): number => status.streams.find(({ name }) => name === stream)?.length ?? 0
  const cursor = Number(status.cursors.find(({ stream }) => stream === streams.firehoseLive)?.cursor ?? 0)
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from bsky.millrace_dirty where did = any ($1::text[])`,
    [dids],
  )
  return (
    Math.max(0, head - cursor) + lengthOf(streams.firehoseLive) + lengthOf(streams.firehoseBackfill) + rows[0]!.count
  )
}

/** Why repos were given up, or are to be fetched again. */
async function refusedAs(pool: TestPool, guests: readonly Guest[]): Promise<string[]> {
  const { rows } = await pool.query<{ reason: string }>(
    `select reason from bsky.millrace_dead_letter where did = any ($1::text[])
     union select reason from bsky.millrace_dirty where did = any ($1::text[]) order by reason`,
    [guests.map(({ did }) => did)],
  )
  return rows.map(({ reason }) => reason)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
