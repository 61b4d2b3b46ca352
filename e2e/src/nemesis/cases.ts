import { setTimeout as wait } from 'node:timers/promises'
import { failpoints, type Failpoint } from '@millrace/failpoints'
import type { RepoFault } from '@millrace/dev-network'
import { cursorKey, streams } from '@millrace/stream-protocol'
import type { ProcessName, Stage } from './stage.ts'

/** One fault of the matrix. */
export interface NemesisCase {
  name: string
  /** What is done, in words. */
  summary: string
  /** Hazards that it is about. */
  hazards: string
  /** Does it while the network writes. @returns how often it really happened. */
  inject(stage: Stage): Promise<number>
}

const pause = (ms: number): Promise<void> => wait(ms)

/** Waits until something is so. @returns whether it came to that in time. */
async function comesTo(isSo: () => Promise<boolean> | boolean, timeoutMs = 15_000): Promise<boolean> {
  for (const endsAt = performance.now() + timeoutMs; performance.now() < endsAt; await pause(50))
    if (await isSo()) return true
  return false
}

const appOf = (place: Failpoint): Exclude<ProcessName, 'otherBackfiller' | 'otherIndexer' | 'admin'> =>
  place.split('.')[0] as 'ingester' | 'backfiller' | 'indexer'

/** Kills itself at this place, three times, each a bit further on. */
function killAt(place: Failpoint): NemesisCase {
  return {
    name: `kill-${place.replace('.', '-')}`,
    summary: `kill -9 when ${failpoints[place]}`,
    hazards: 'G1, G2',
    async inject(stage) {
      const app = stage.apps[appOf(place)]
      let kills = 0
      for (const times of [1, 2, 5]) {
        await app.kill()
        app.start({ MILLRACE_FAILPOINT: `${place}:${times}` })
        if (appOf(place) === 'backfiller') {
          // Or the other one does it all.
          await stage.apps.otherBackfiller.kill()
          await stage.fetchAgain(12)
        }
        await comesTo(() => !app.isRunning)
        if (!app.isRunning && (await app.ended()) === 'SIGKILL') kills += 1
      }
      return kills
    },
  }
}

/** The PDSs answer wrongly, while repos are fetched. */
function pdsFault(name: string, summary: string, hazards: string, fault: RepoFault): NemesisCase {
  return {
    name: `pds-${name}`,
    summary,
    hazards,
    async inject(stage) {
      const before = requests(stage)
      for (const url of stage.network.pdsUrls) stage.network.faults.getRepo(url, fault, { times: 4 })
      await stage.fetchAgain(12)
      await comesTo(() => requests(stage) - before >= 8)
      return Math.min(8, requests(stage) - before)
    },
  }
}

function requests({ network }: Stage): number {
  return network.requests['com.atproto.sync.getRepo'] ?? 0
}

async function killAll(stage: Stage): Promise<number> {
  const running = Object.values(stage.apps).filter(({ isRunning }) => isRunning)
  await Promise.all(running.map((app) => app.kill()))
  return running.length
}

export const nemesisCases: readonly NemesisCase[] = [
  ...(Object.keys(failpoints) as Failpoint[]).map(killAt),
  {
    name: 'kill-all',
    summary: 'kill -9 of all processes at once, twice',
    hazards: 'G1, P17',
    async inject(stage) {
      let kills = await killAll(stage)
      stage.startAll()
      await pause(2_500)
      kills += await killAll(stage)
      return kills
    },
  },
  {
    name: 'restart-all',
    summary: 'SIGTERM of all processes in a random order, and start in another',
    hazards: 'P17',
    async inject(stage) {
      let graceful = 0
      for (const app of stage.random.shuffled(Object.values(stage.apps))) if ((await app.stop()) === 0) graceful += 1
      for (const app of stage.random.shuffled(Object.values(stage.apps))) app.start()
      return graceful
    },
  },
  {
    name: 'stop-indexer',
    summary: 'SIGSTOP of an indexer until others have its entries, then SIGCONT: a zombie writes',
    hazards: 'S4, S6',
    async inject(stage) {
      stage.apps.indexer.signal('SIGSTOP')
      await pause(5_000)
      stage.apps.indexer.signal('SIGCONT')
      return 1
    },
  },
  {
    name: 'stop-backfiller',
    summary: 'SIGSTOP of a backfiller in the middle of its repos, then SIGCONT',
    hazards: 'S6, B13',
    async inject(stage) {
      await stage.fetchAgain(12)
      await pause(300)
      stage.apps.backfiller.signal('SIGSTOP')
      await pause(5_000)
      stage.apps.backfiller.signal('SIGCONT')
      return 1
    },
  },
  {
    name: 'stop-ingester',
    summary: 'SIGSTOP of the ingester for longer than its connections live, then SIGCONT',
    hazards: 'I9',
    async inject(stage) {
      stage.apps.ingester.signal('SIGSTOP')
      await pause(3_000)
      stage.apps.ingester.signal('SIGCONT')
      return 1
    },
  },
  {
    name: 'redis-restart',
    summary: 'Redis ends in order and starts again with its file',
    hazards: 'S1',
    async inject(stage) {
      await stage.restartRedis('SIGTERM')
      return 1
    },
  },
  {
    name: 'redis-crash',
    summary: 'Redis is killed: it comes back without the last second',
    hazards: 'I4, I5, P15',
    async inject(stage) {
      for (let crash = 0; crash < 2; crash++) {
        await stage.restartRedis('SIGKILL')
        await pause(1_500)
      }
      return 2
    },
  },
  {
    name: 'redis-flush',
    summary: 'FLUSHALL while nobody reads: streams, groups and cursors are gone, with what was in them',
    hazards: 'I4, I5, P15',
    async inject(stage) {
      await Promise.all([stage.apps.indexer.kill(), stage.apps.otherIndexer.kill()])
      await comesTo(async () => Number(await stage.command('XLEN', 'firehose_live')) > 20)
      const entries = Number(await stage.command('XLEN', 'firehose_live'))
      await stage.command('FLUSHALL')
      return entries
    },
  },
  {
    name: 'redis-flush-in-backfill',
    summary: 'FLUSHALL while whole repos are on their way',
    hazards: 'B13, I5, P15',
    async inject(stage) {
      await stage.fetchAgain(20)
      await pause(400)
      await stage.command('FLUSHALL')
      return 1
    },
  },
  {
    name: 'redis-trim',
    summary: 'half of the live stream is trimmed away unread, while the indexers are down',
    hazards: 'S10, S11, I16',
    async inject(stage) {
      await Promise.all([stage.apps.indexer.kill(), stage.apps.otherIndexer.kill()])
      await comesTo(async () => Number(await stage.command('XLEN', 'firehose_live')) > 20)
      return Number(await stage.command('XTRIM', 'firehose_live', 'MAXLEN', '10'))
    },
  },
  {
    name: 'redis-maxmemory',
    summary: 'Redis takes no writes for three seconds: maxmemory is reached',
    hazards: 'S3, S14',
    async inject(stage) {
      await stage.command('CONFIG', 'SET', 'maxmemory', '1mb')
      await pause(3_000)
      const refused = await stage.command('SET', 'nemesis', '1').catch((error: unknown) => String(error))
      await stage.command('CONFIG', 'SET', 'maxmemory', '0')
      return String(refused).includes('OOM') ? 1 : 0
    },
  },
  {
    name: 'redis-cut',
    summary: 'all connections to Redis are reset, ten times',
    hazards: 'S1, I1',
    async inject({ redisProxy }) {
      const before = redisProxy.faults
      for (let cut = 0; cut < 10; cut++) {
        redisProxy.cut()
        await pause(200)
      }
      return redisProxy.faults - before
    },
  },
  {
    name: 'redis-answers-lost',
    summary: 'what is written to Redis arrives, its answers do not',
    hazards: 'I1, S5',
    async inject({ redisProxy }) {
      const before = redisProxy.faults
      for (let round = 0; round < 3; round++) {
        redisProxy.swallowsAnswers = true
        await pause(400)
        redisProxy.heal()
        await pause(600)
      }
      return redisProxy.faults - before
    },
  },
  {
    name: 'redis-slow',
    summary: 'Redis is 150 ms away in either direction',
    hazards: 'S6',
    async inject({ redisProxy }) {
      redisProxy.delayMs = 150
      await pause(3_000)
      redisProxy.delayMs = 0
      return 1
    },
  },
  {
    name: 'postgres-crash',
    summary: 'Postgres ends at once, and recovers from its log',
    hazards: 'X19, M11',
    async inject(stage) {
      await stage.crashPostgres()
      return 1
    },
  },
  {
    name: 'postgres-terminate',
    summary: 'pg_terminate_backend of every connection, ten times',
    hazards: 'X19',
    async inject({ pool }) {
      let ended = 0
      for (let round = 0; round < 10; round++) {
        const { rows } = await pool.query<{ count: number }>(
          `select count(*) filter (where pg_terminate_backend(pid))::int as count from pg_stat_activity
           where pid <> pg_backend_pid() and backend_type = 'client backend'`,
        )
        ended += rows[0]!.count
        await pause(200)
      }
      return ended
    },
  },
  {
    name: 'postgres-cut',
    summary: 'all connections to Postgres are reset, ten times',
    hazards: 'X19',
    async inject({ postgresProxy }) {
      const before = postgresProxy.faults
      for (let cut = 0; cut < 10; cut++) {
        postgresProxy.cut()
        await pause(200)
      }
      return postgresProxy.faults - before
    },
  },
  {
    name: 'postgres-answers-lost',
    summary: 'what is committed in Postgres stays, its answers do not arrive',
    hazards: 'X19, X7',
    async inject({ postgresProxy }) {
      const before = postgresProxy.faults
      for (let round = 0; round < 3; round++) {
        postgresProxy.swallowsAnswers = true
        await pause(400)
        postgresProxy.heal()
        await pause(600)
      }
      return postgresProxy.faults - before
    },
  },
  {
    name: 'relay-cut',
    summary: 'the firehose breaks off, ten times',
    hazards: 'I9, I10',
    async inject({ network }) {
      let cuts = 0
      for (let cut = 0; cut < 10; cut++) {
        await comesTo(() => network.relay.connections > 0, 5_000)
        cuts += network.relay.connections
        network.relay.dropConnections()
        network.labeler.dropConnections()
      }
      return cuts
    },
  },
  {
    name: 'relay-garbage',
    summary: 'frames that are none, unknown ones and error frames among the others',
    hazards: 'I11, G9',
    async inject({ network, random }) {
      for (let frame = 0; frame < 6; frame++) {
        const bytes = Uint8Array.from({ length: 1 + random.below(200) }, () => random.below(256))
        network.relay.appendRaw(bytes)
        if (frame === 3) network.relay.sendError('ConsumerTooSlow')
        await pause(50)
      }
      return 6
    },
  },
  {
    name: 'relay-replay',
    summary: 'the cursor is set back: what was applied comes again',
    hazards: 'X7, G6',
    async inject(stage) {
      await stage.apps.ingester.stop()
      const key = cursorKey(streams.firehoseLive, stage.network.relayUrl)
      const at = Number(await stage.command('GET', key))
      await stage.command('SET', key, String(Math.max(0, at - 200)))
      stage.apps.ingester.start()
      return Math.min(at, 200)
    },
  },
  {
    name: 'relay-window',
    summary: 'the ingester is down until the relay has forgotten what it lacks',
    hazards: 'I12, O6',
    async inject(stage) {
      await stage.apps.ingester.kill()
      await stage.network.write(600)
      stage.apps.ingester.start()
      return (await comesTo(async () => {
        const { rows } = await stage.pool.query(`select from millrace_gap where reason = 'outdated-cursor'`)
        return rows.length > 0
      }))
        ? 1
        : 0
    },
  },
  {
    name: 'commits-lost',
    summary: 'the relay leaves commits out, sends some too big, some forged, some that lie, some of old form',
    hazards: 'I14-I18, G4',
    async inject({ network, random }) {
      let odd = 0
      for (const frame of [
        'omitted',
        'too-big',
        'bad-signature',
        'legacy',
        'wrong-op',
        'omitted',
        'too-big',
      ] as const) {
        const account = network.account(random.below(20))
        if (account.status !== 'active') continue
        const post = (text: string): { action: 'create'; collection: string; record: Record<string, string> } => ({
          action: 'create',
          collection: 'app.bsky.feed.post',
          record: { text, createdAt: '2025-06-01T00:00:00Z' },
        })
        await account.applyWrites([post(`${frame} ${odd}`)], { frame })
        // What comes after it does not chain.
        await account.applyWrites([post('after')])
        odd += 1
        await pause(100)
      }
      return odd
    },
  },
  pdsFault('throttled', 'PDSs answer 429', 'B4', { type: 'throttled', retryAfterSeconds: 1 }),
  pdsFault('errors', 'PDSs answer 500', 'B4', { type: 'error' }),
  pdsFault('cut', 'repos end in the middle', 'B6', { type: 'cut', afterBytes: 900 }),
  pdsFault('corrupt', 'a block is not what its CID says', 'B7', { type: 'corrupt-block' }),
  pdsFault('forged', 'repos are signed by another key', 'B7', { type: 'other-key' }),
  pdsFault('other-did', 'repos are those of another account', 'B7', { type: 'other-did' }),
  {
    name: 'plc-errors',
    summary: 'the directory answers 500 for some accounts, while handles change and repos are fetched',
    hazards: 'D1, D6',
    async inject(stage) {
      const { network } = stage
      for (const { did } of network.accounts.slice(0, 8)) network.faults.identity(did, { type: 'error' }, { times: 2 })
      for (let account = 0; account < 8; account++) await network.account(account).changeHandle()
      await stage.fetchAgain(8)
      await pause(2_000)
      return 8
    },
  },
  {
    name: 'two-of-one-name',
    summary: 'a second indexer and a second backfiller with names that are in use',
    hazards: 'S8',
    async inject(stage) {
      const twins = [stage.process('indexer'), stage.process('backfiller')]
      for (const twin of twins) twin.start()
      await pause(4_000)
      let running = 0
      for (const twin of twins) {
        if (twin.isRunning) running += 1
        await twin.stop()
      }
      return running
    },
  },
  {
    name: 'poison',
    summary: 'records that are none, in every form, among good ones',
    hazards: 'X2, F110, J4-J12',
    async inject({ network }) {
      const createdAt = '2025-06-01T00:00:00Z'
      const records = [
        { text: 'nul \u0000', createdAt },
        { text: 'half \ud83d', createdAt },
        { text: 'x'.repeat(5_000), createdAt },
        { text: 'when', createdAt: 'yesterday' },
        { text: 'type', createdAt, $type: 'app.bsky.feed.like' },
        { text: 7, createdAt },
        { text: 'deep', createdAt, embed: nested(40) },
        { text: 'proto', createdAt, ['__proto__x']: { a: 1 } },
        Uint8Array.of(0xff, 0x00, 0x12),
      ]
      const account = network.account(1)
      for (const record of records) await account.create('app.bsky.feed.post', record)
      await account.create('app.bsky.feed.like', {
        subject: { uri: `at://${account.did}/app.bsky.feed.post/${'k'.repeat(3_000)}`, cid: account.head.cid },
        createdAt,
      })
      return records.length + 1
    },
  },
  {
    name: 'accounts',
    summary: 'accounts go, come back, are taken down and deleted, while the indexers are killed',
    hazards: 'I22, I23, A6',
    async inject(stage) {
      const { network, apps } = stage
      let changes = 0
      for (const index of [20, 21]) {
        const account = network.account(index)
        if (account.status !== 'active') continue
        await account.deactivate()
        await apps.indexer.kill()
        apps.indexer.start()
        await account.reactivate()
        await account.takedown()
        await account.reactivate()
        changes += 4
      }
      const gone = network.accounts.findLast(({ status }, index) => status === 'active' && index < 20)
      await gone?.remove()
      await apps.otherIndexer.kill()
      apps.otherIndexer.start()
      return changes + (gone ? 1 : 0)
    },
  },
]

function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {}
  for (let level = 0; level < levels; level++) value = { value }
  return value
}
