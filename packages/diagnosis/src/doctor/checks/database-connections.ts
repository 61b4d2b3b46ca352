import { ofDatabase, ok, warn, type Check } from '../check.ts'

const NEARLY_ALL = 0.9

export const databaseConnections: Check = {
  id: 'database-connections',
  title: 'The database has connections left (X19)',
  look: ofDatabase(({ connections, settings: { maxConnections } }) => {
    const evidence = `${connections} of ${maxConnections} connections are open`
    return connections < maxConnections * NEARLY_ALL
      ? ok(evidence)
      : warn('database-connections-short', {
          evidence,
          meaning: 'The next process that starts may get none. Pools have to fit into max_connections together.',
          command:
            'psql "$DB_POSTGRES_URL" -c "select application_name, count(*) from pg_stat_activity group by 1 order by 2 desc"',
        })
  }),
}
