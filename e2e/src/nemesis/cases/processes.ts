import { failpoints, type Failpoint } from '@millrace/failpoints'
import { sleep } from '@millrace/stream-protocol'
import { comesTo, type NemesisCase } from '../nemesis-case.ts'
import type { AppProcess } from '../../pipeline/app-process.ts'
import type { ProcessName, Stage } from '../stage.ts'

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
      // One that has not come to the place would end there once all is to be well.
      await app.kill()
      return kills
    },
  }
}

async function killAll(stage: Stage): Promise<number> {
  const running = Object.values(stage.apps).filter(({ isRunning }) => isRunning)
  await Promise.all(running.map((app) => app.kill()))
  return running.length
}

async function standStill(app: AppProcess, ms: number): Promise<void> {
  app.signal('SIGSTOP')
  await sleep(ms)
  app.signal('SIGCONT')
}

/** What ends processes, or has them stand still. */
export const processCases: readonly NemesisCase[] = [
  ...(Object.keys(failpoints) as Failpoint[]).map(killAt),
  {
    name: 'kill-all',
    summary: 'kill -9 of all processes at once, twice',
    hazards: 'G1, P17',
    async inject(stage) {
      let kills = await killAll(stage)
      stage.startAll()
      await sleep(2_500)
      kills += await killAll(stage)
      return kills
    },
  },
  {
    name: 'kill-storm',
    summary: 'kill -9 of one process after the other, in a random order, twenty times',
    hazards: 'G1, P17',
    async inject(stage) {
      let kills = 0
      for (let kill = 0; kill < 20; kill++) {
        const apps = Object.values(stage.apps)
        const app = apps[stage.random.below(apps.length)]!
        if (app.isRunning) kills += 1
        await app.kill()
        app.start()
        await sleep(300)
      }
      return kills
    },
  },
  {
    name: 'power-loss',
    summary: 'all processes, Redis and Postgres end at once',
    hazards: 'G1, I4, I5, P15',
    async inject(stage) {
      const [kills] = await Promise.all([killAll(stage), stage.restartRedis('SIGKILL'), stage.crashPostgres()])
      stage.startAll()
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
      await standStill(stage.apps.indexer, 5_000)
      return 1
    },
  },
  {
    name: 'stop-backfiller',
    summary: 'SIGSTOP of a backfiller in the middle of its repos, then SIGCONT',
    hazards: 'S6, B13',
    async inject(stage) {
      await stage.fetchAgain(12)
      await sleep(300)
      await standStill(stage.apps.backfiller, 5_000)
      return 1
    },
  },
  {
    name: 'stop-ingester',
    summary: 'SIGSTOP of the ingester for longer than its connections live, then SIGCONT',
    hazards: 'I9',
    async inject(stage) {
      await standStill(stage.apps.ingester, 3_000)
      return 1
    },
  },
  {
    name: 'two-ingesters',
    summary: 'a second ingester of the same hosts',
    hazards: 'I1, I15',
    async inject(stage) {
      const twin = stage.process('ingester')
      twin.start()
      await sleep(5_000)
      const running = twin.isRunning ? 1 : 0
      await twin.stop()
      return running
    },
  },
  {
    name: 'two-of-one-name',
    summary: 'a second indexer and a second backfiller with names that are in use',
    hazards: 'S8',
    async inject(stage) {
      const twins = [stage.process('indexer'), stage.process('backfiller')]
      for (const twin of twins) twin.start()
      await sleep(4_000)
      let running = 0
      for (const twin of twins) {
        if (twin.isRunning) running += 1
        await twin.stop()
      }
      return running
    },
  },
]
