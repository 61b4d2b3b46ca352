import { sleep } from '@millrace/stream-protocol'
import { comesTo, type NemesisCase } from '../nemesis-case.ts'
import { answersLost, connectionsCut, slow } from './connections.ts'

/** What becomes of Postgres, and of the way to it. */
export const postgresCases: readonly NemesisCase[] = [
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
    name: 'postgres-restored',
    summary: 'Postgres comes back as it was before the last records, beside a Redis that knows them',
    hazards: 'I4, I5',
    async inject(stage) {
      const count = async (what: string): Promise<number> =>
        (await stage.pool.query<{ count: number }>(`select count(*)::int as count from ${what}`)).rows[0]!.count
      const rows = (): Promise<number> => count('bsky.record')
      const gaps = (): Promise<number> =>
        count(`millrace_gap where reason = 'database-restored' and from_seq is not null`)
      let restore = (): Promise<void> => Promise.resolve()
      await stage.crashPostgres(async () => {
        restore = (await stage.backUpPostgres()).restore
      })
      const [before, gapsBefore] = [await rows(), await gaps()]
      await comesTo(async () => (await rows()) >= before + 40)
      // Long enough that Redis is told of it.
      await sleep(1_000)
      const lost = (await rows()) - before
      await stage.crashPostgres(restore)
      return (await comesTo(async () => (await gaps()) > gapsBefore)) ? lost : 0
    },
  },
  slow('postgres', 'Postgres', 100, 'X19', (stage) => stage.postgresProxy),
  {
    name: 'postgres-read-only',
    summary: 'Postgres takes no writes for three seconds, as one that recovers or has no room',
    hazards: 'G9, G10, X22',
    async inject({ pool }) {
      const takesWrites = async (does: boolean): Promise<void> => {
        await pool.query(
          `alter system ${does ? 'reset default_transaction_read_only' : 'set default_transaction_read_only = on'}`,
        )
        await pool.query('select pg_reload_conf()')
      }
      await takesWrites(false)
      await sleep(3_000)
      const refused = await pool.query('update millrace_setting set name = name').then(
        () => 0,
        ({ message }: Error) => (message.includes('read-only') ? 1 : 0),
      )
      await takesWrites(true)
      return refused
    },
  },
  {
    name: 'postgres-locked',
    summary: 'somebody holds a table that all write to, for three seconds',
    hazards: 'G9, X19',
    async inject({ pool }) {
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query('lock table bsky.record in access exclusive mode')
        await sleep(3_000)
        const { rows } = await client.query<{ count: number }>(
          `select count(*)::int as count from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid))`,
        )
        return rows[0]!.count
      } finally {
        await client.query('rollback')
        client.release()
      }
    },
  },
  {
    name: 'postgres-table-gone',
    summary: 'a table is missing for three seconds, as after a wrong deploy',
    hazards: 'G9, G10',
    async inject({ pool }) {
      await pool.query('alter table bsky.post rename to post_elsewhere')
      await sleep(3_000)
      await pool.query('alter table bsky.post_elsewhere rename to post')
      const letters = await pool.query<{ count: number }>(
        `select count(*)::int as count from millrace_dead_letter where error like '%"post"%'`,
      )
      if (letters.rows[0]!.count > 0) throw new Error('entries were given up for a table that was missing')
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
        await sleep(200)
      }
      return ended
    },
  },
  connectionsCut('postgres', 'all connections to Postgres are reset, ten times', 'X19', (stage) => stage.postgresProxy),
  answersLost(
    'postgres',
    'what is committed in Postgres stays, its answers do not arrive',
    'X19, X7',
    (stage) => stage.postgresProxy,
  ),
]
