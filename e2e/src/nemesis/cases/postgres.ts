import { sleep } from '@millrace/stream-protocol'
import type { NemesisCase } from '../nemesis-case.ts'
import { answersLost, connectionsCut } from './connections.ts'

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
