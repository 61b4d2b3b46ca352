import { sleep } from '@millrace/stream-protocol'
import { comesTo, type NemesisCase } from '../nemesis-case.ts'
import { answersLost, connectionsCut, slow } from './connections.ts'

/** What becomes of Redis, and of the way to it. */
export const redisCases: readonly NemesisCase[] = [
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
        await sleep(1_500)
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
      await sleep(400)
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
      await sleep(3_000)
      const refused = await stage.command('SET', 'nemesis', '1').catch((error: unknown) => String(error))
      await stage.command('CONFIG', 'SET', 'maxmemory', '0')
      return String(refused).includes('OOM') ? 1 : 0
    },
  },
  {
    name: 'redis-read-only',
    summary: 'Redis is a replica that takes no writes, for three seconds, as after a failover',
    hazards: 'G9, S13',
    async inject(stage) {
      await stage.command('REPLICAOF', '127.0.0.1', '1')
      await sleep(3_000)
      const refused = await stage.command('SET', 'nemesis', '1').catch((error: unknown) => String(error))
      await stage.command('REPLICAOF', 'NO', 'ONE')
      return String(refused).includes('READONLY') ? 1 : 0
    },
  },
  {
    name: 'redis-scripts-lost',
    summary: 'Redis forgets the scripts that it was given, ten times',
    hazards: 'G9, S1',
    async inject(stage) {
      for (let flush = 0; flush < 10; flush++) {
        await stage.command('SCRIPT', 'FLUSH')
        await sleep(200)
      }
      return 10
    },
  },
  {
    name: 'redis-foreign-entries',
    summary: 'somebody writes into the streams what is no event',
    hazards: 'S20, G11',
    async inject(stage) {
      const entries = ['{"type":"create","seq":', '[]', '{}', 'null']
      for (const entry of entries) {
        await stage.command('XADD', 'firehose_live', '*', 'event', entry)
        await stage.command('XADD', 'repo_backfill', '*', 'repo', entry)
      }
      await stage.command('XADD', 'firehose_backfill', '*', 'something', 'else')
      return entries.length * 2 + 1
    },
  },
  {
    name: 'redis-marks',
    summary: 'all streams are at their high water marks while nobody reads, and all that write to them wait',
    hazards: 'S14, S15',
    async inject(stage) {
      const { indexer, otherIndexer, ingester, backfiller, otherBackfiller } = stage.apps
      await Promise.all([indexer, otherIndexer, ingester, backfiller, otherBackfiller].map((app) => app.kill()))
      const mark = '20'
      ingester.start({ INGESTER_FIREHOSE_STREAM_HIGH_WATER_MARK: mark, INGESTER_REPO_STREAM_HIGH_WATER_MARK: mark })
      for (const app of [backfiller, otherBackfiller]) app.start({ BACKFILLER_FIREHOSE_STREAM_HIGH_WATER_MARK: mark })
      await stage.fetchAgain(20)
      const full = async (stream: string): Promise<boolean> =>
        Number(await stage.command('XLEN', stream)) >= Number(mark)
      const marks = await Promise.all(
        ['firehose_live', 'firehose_backfill'].map((stream) => comesTo(() => full(stream))),
      )
      return marks.filter(Boolean).length
    },
  },
  connectionsCut('redis', 'all connections to Redis are reset, ten times', 'S1, I1', (stage) => stage.redisProxy),
  answersLost('redis', 'what is written to Redis arrives, its answers do not', 'I1, S5', (stage) => stage.redisProxy),
  slow('redis', 'Redis', 150, 'S6', (stage) => stage.redisProxy),
]
