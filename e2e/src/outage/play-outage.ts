import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { compareWithOracle, type Anomaly, type AnomalyKind } from '@millrace/oracle'
import { streams } from '@millrace/stream-protocol'
import { endOfSimulation } from '../compare/simulated-end.ts'
import { FourApps } from '../pipeline/four-apps.ts'
import { repoRequests } from '../pipeline/repo-requests.ts'
import { TestPool } from '../pipeline/test-pool.ts'
import { trimStream } from '../pipeline/trim-stream.ts'
import { PATIENCE_MS, until } from '../pipeline/until.ts'
import { readStatus } from '../pipeline/wait-until-indexed.ts'
import { seconds } from '../seconds.ts'
import { leftInStreams, untilSettled } from './until-settled.ts'

export interface OutageOptions {
  /** Both empty. */
  redisUrl: string
  databaseUrl: string
  form: 'source' | 'built'
  accounts: number
  recordsPerAccount: number
  /** Frames that the relay can replay. */
  window: number
  /** Operations that are written before anybody looks. */
  unseenWrites: number
  seed: number
  /** How much faster than in production the alarm is raised. */
  alarmHaste: number
  say: (text: string) => void
}

/** What an outage did, and what it took to undo it. */
export interface OutageResult {
  accounts: number
  records: number
  /** The first backfill. */
  backfillMs: number
  backfillRequests: number
  /** From the moment that the indexer stood still to the alarm, as it would have been in production. */
  alarmSeconds: number
  alarm: string
  /** Frames that the relay sent while nobody read, and those of them that it cannot replay. */
  framesSent: number
  framesGone: number
  /** Entries that were trimmed away unread. */
  trimmed: number
  /** What was wrong once all that could be replayed was replayed. */
  lost: number
  zombies: number
  others: number
  gaps: string[]
  /** From the moment that repairs could begin to the last row. */
  repairMs: number
  repairRequests: number
  reposListed: number
  reposFetched: number
  /** What is not as the repos of the network have it in the end. */
  anomalies: Anomaly[]
}

/** How much faster than in production the pipeline waits. */
const HASTE = 20
/** Without an ack for as long, while entries wait, is an alarm. */
const STALLED_AFTER_MS = 300_000
/** Entries that are left of a stream that was trimmed in need. */
const LEFT = 5

/**
 * An indexer stands still and says nothing. The alarm is raised; nobody heeds it, until the ingester has gone as well, the
 * relay has forgotten, and the stream was trimmed. Then all is started again, and heals by itself.
 */
export async function playOutage(options: OutageOptions): Promise<OutageResult> {
  const { redisUrl, databaseUrl, form, accounts, recordsPerAccount, window, unseenWrites, seed, alarmHaste, say } =
    options
  await using network = await startSimulatedNetwork({
    accounts,
    recordsPerAccount,
    labels: 20,
    seed,
    relayWindow: window,
  })
  await using pool = new TestPool(databaseUrl)
  await using four = await FourApps.start({
    network,
    redisUrl,
    databaseUrl,
    form,
    env: {
      MILLRACE_HASTE: String(HASTE),
      ADMIN_STALLED_AFTER: `${STALLED_AFTER_MS / alarmHaste}ms`,
      BACKFILLER_CONCURRENCY: '4',
    },
  })
  const { indexer, ingester, backfiller } = four.apps
  const settled = () => untilSettled({ four, pool, network, timeoutMs: PATIENCE_MS })
  const compare = () => compareWithOracle({ pool, schema: 'bsky', now: Date.now(), ...endOfSimulation(network) })

  const startedAt = performance.now()
  await until('the ingester reads', () => network.relay.connections > 0)
  await network.write(20)
  await settled()
  const backfillMs = performance.now() - startedAt
  const backfillRequests = repoRequests(network)
  const { recordCount: records } = network.totals()
  const before = await compare()
  if (before.length > 0) throw new Error(`${before.length} rows were wrong before anything happened`)
  say(`${accounts} accounts with ${records} records are in after ${seconds(backfillMs)}, and live events follow.`)

  const stoodStillAt = performance.now()
  indexer.signal('SIGSTOP')
  say('The indexer stands still. Its process runs, its connections are open, its log says nothing.')
  await network.write(20)
  let alarm = ''
  await until('the alarm', async () => {
    const problems = (await readStatus(four))?.problems ?? []
    alarm = problems.find(({ code }) => code === 'group-stalled' || code === 'group-stopped')?.message ?? ''
    return alarm !== ''
  })
  const alarmSeconds = ((performance.now() - stoodStillAt) * alarmHaste) / 1_000
  say(`${Math.round(alarmSeconds)} s later (in time of production) the admin server says: ${alarm}`)

  await network.write(30)
  await until('the ingester has read', async () => {
    const status = await readStatus(four)
    return Number(status?.cursors.find(({ stream }) => stream === streams.firehoseLive)?.cursor) === network.head()
  })
  const readTo = network.head()
  await ingester.kill()
  const trimmed = await trimStream(redisUrl, streams.firehoseLive, LEFT)
  say(
    `Nobody heeds it. Days later the ingester is gone as well, and somebody trims ${trimmed} unread entries to save Redis.`,
  )
  await writeUnseen(network, unseenWrites)
  const framesSent = network.head() - readTo
  say(`The network has sent ${framesSent} frames by then, more than its relay keeps.`)

  await backfiller.kill()
  await indexer.kill()
  ingester.start()
  indexer.start()
  await until('what can be replayed is in', async () => (await leftInStreams(four, network)).length === 0)
  const missing = await compare()
  const count = (...kinds: AnomalyKind[]): number => missing.filter(({ kind }) => kinds.includes(kind)).length
  const [lost, zombies] = [count('lost', 'stale'), count('zombie')]
  const others = missing.length - lost - zombies
  const [gaps, framesGone] = await Promise.all([openGaps(pool), framesMissed(pool)])
  say(
    `Ten days late it is started again, without its backfiller at first. ${framesGone} frames are gone from the relay.`,
  )
  say('All that can be replayed is in:')
  say(`${lost} rows are missing or old, ${zombies} were deleted and are there, ${others} are wrong otherwise.`)
  say(`It knows: ${gaps.join('; ')}.`)

  const requestsBefore = repoRequests(network)
  const repairAt = performance.now()
  backfiller.start()
  await settled()
  const repairMs = performance.now() - repairAt
  const repairRequests = repoRequests(network) - requestsBefore
  const { listed, fetched } = await repaired(pool)
  say(`The backfiller is back. It compares the host with the rows, fetches what has moved, and closes the gaps:`)
  say(`${fetched} of ${listed} repos, within ${seconds(repairMs)}.`)

  return {
    accounts,
    records,
    backfillMs,
    backfillRequests,
    alarmSeconds,
    alarm,
    framesSent,
    framesGone,
    trimmed,
    lost,
    zombies,
    others,
    gaps,
    repairMs,
    repairRequests,
    reposListed: listed,
    reposFetched: fetched,
    anomalies: await compare(),
  }
}

/** What happens in a network while nobody looks: writes of all kinds, and accounts that change. */
async function writeUnseen(network: SimulatedNetwork, writes: number): Promise<void> {
  await network.account(2).changeHandle()
  await network.account(3).deactivate()
  await network.account(4).remove()
  await network.write(writes)
}

async function openGaps(pool: TestPool): Promise<string[]> {
  const { rows } = await pool.query<{ gap: string }>(
    `select concat_ws(' ', reason, 'of', nullif(host, ''), stream) as gap from bsky.millrace_gap where closed_at is null order by id`,
  )
  return rows.map(({ gap }) => gap)
}

/** Frames between the last one that was read and the first one that the relay still had. */
async function framesMissed(pool: TestPool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select coalesce(sum(to_seq::bigint - from_seq::bigint - 1), 0)::int as count from bsky.millrace_gap where reason = 'outdated-cursor'`,
  )
  return rows[0]!.count
}

async function repaired(pool: TestPool): Promise<{ listed: number; fetched: number }> {
  const { rows } = await pool.query<{ listed: number; fetched: number }>(
    `select coalesce(max(listed), 0)::int as listed, coalesce(sum(moved + unknown), 0)::int as fetched from bsky.millrace_repair`,
  )
  return rows[0]!
}
