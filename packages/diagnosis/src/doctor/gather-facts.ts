import type { Database } from '@millrace/database'
import { cursorKey, silentLogger, streams, type Logger, type StreamStore } from '@millrace/stream-protocol'
import { answerOf, valueOf, type Answer } from '../answer.ts'
import { judgeOnce, type GroupProgress, type ProgressWatch } from '../progress-watch.ts'
import { probeUpstream } from '../upstream/probe.ts'
import type { ClockFacts, DeclaredStream, DoctorFacts, ExposureFacts, UpstreamFacts } from './facts.ts'
import { readDatabaseFacts } from './read-database-facts.ts'
import { readStoreFacts } from './read-store-facts.ts'

/** What a doctor looks at. */
export interface DoctorSources {
  /** Undefined, or with the reason, when it is not there: then that is what is wrong. */
  store: StreamStore | { why: string }
  /** Undefined when none is configured. */
  database?: Database | { why: string } | undefined
  declared: readonly DeclaredStream[]
  /** Hosts that are configured, beside those that ingesters have said to read. */
  upstreams?: readonly { host: string; stream: string }[]
  labelStream?: string
  /** Knows how groups were before. Without it one look has to do. */
  watch?: ProgressWatch | undefined
  exposure?: ExposureFacts | undefined
  /** What hosts have said a moment ago: they are not asked again. */
  probed?: readonly UpstreamFacts[] | undefined
  logger?: Logger
  /** @default Date.now */
  now?: () => number
}

/** Asks everybody once, at the same time, for what the checks look at. Never rejects: what is away is a fact. */
export async function gatherFacts(sources: DoctorSources, signal?: AbortSignal): Promise<DoctorFacts> {
  const { declared, watch, exposure, now = Date.now, logger = silentLogger } = sources
  const judge = (...look: Parameters<ProgressWatch['judge']>): GroupProgress =>
    watch ? watch.judge(...look) : judgeOnce(...look)
  const clocks: ClockFacts[] = []
  /** Our time is that of the middle of the question. */
  const compare = (of: ClockFacts['of'], theirs: number, askedAt: number): void => {
    clocks.push({ of, aheadMs: (askedAt + now()) / 2 - theirs })
  }
  const explain = (part: string) => (error: unknown) => {
    logger.warn({ err: error, part }, 'a part of the diagnosis is missing')
    return 'it does not answer'
  }
  const { store, database } = sources
  const askedAt = now()
  const [storeFacts, databaseFacts] = await Promise.all([
    'why' in store
      ? away(store.why)
      : answerOf(
          () =>
            readStoreFacts(store, declared, {
              judge: (group, stream) => judge(group, stream, now()),
              onClock: (theirs) => compare('store', theirs, askedAt),
            }),
          explain('store'),
        ),
    database === undefined
      ? undefined
      : 'why' in database
        ? away(database.why)
        : answerOf(
            () => readDatabaseFacts(database, { onClock: (theirs, since) => compare('database', theirs, since), now }),
            explain('database'),
          ),
  ])
  const known = valueOf(databaseFacts)?.bookkeeping?.upstreams.map(({ url, stream }) => ({ host: url, stream })) ?? []
  return {
    now: now(),
    declared,
    store: storeFacts,
    database: databaseFacts,
    // In one order, whoever answers first.
    clocks: clocks.sort((a, b) => b.of.localeCompare(a.of)),
    upstreams:
      sources.probed ?? (await probeAll(sources, distinct([...known, ...(sources.upstreams ?? [])]), explain, signal)),
    exposure,
  }
}

function away(why: string): Promise<Answer<never>> {
  return Promise.resolve({ ok: false, why })
}

function distinct(upstreams: readonly { host: string; stream: string }[]): { host: string; stream: string }[] {
  const byKey = new Map(
    upstreams
      .filter(({ stream }) => stream !== streams.repoBackfill)
      .map((upstream) => [cursorKey(upstream.stream, upstream.host), upstream]),
  )
  return [...byKey.values()]
}

/** Hosts beyond these are not asked: an answer is wanted now. */
const MOST_HOSTS = 20

async function probeAll(
  { store, labelStream = streams.labelLive }: DoctorSources,
  upstreams: readonly { host: string; stream: string }[],
  explain: (part: string) => (error: unknown) => string,
  signal: AbortSignal | undefined,
): Promise<UpstreamFacts[]> {
  return await Promise.all(
    upstreams.slice(0, MOST_HOSTS).map(async ({ host, stream }) => {
      const stored =
        'why' in store ? undefined : await answerOf(() => store.cursors.get(cursorKey(stream, host)), explain('cursor'))
      const cursor = valueOf(stored) ?? null
      const method = stream === labelStream ? 'com.atproto.label.subscribeLabels' : 'com.atproto.sync.subscribeRepos'
      const probe = await answerOf(() => probeUpstream({ url: host, cursor, method, signal }), explain('upstream'))
      return { host, stream, cursor, probe }
    }),
  )
}
