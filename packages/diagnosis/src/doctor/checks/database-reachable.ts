import { fail, ok, type Check } from '../check.ts'

export const databaseReachable: Check = {
  id: 'database-reachable',
  title: 'The database answers',
  look: ({ database }) => {
    if (!database) return undefined
    if (database.ok) return ok(database.value.version)
    return fail('database-away', {
      evidence: database.why,
      meaning:
        'Indexers wait and retry, nothing is lost: streams grow up to their high water mark, then ingesters wait too.',
      command: 'psql "$DB_POSTGRES_URL" -c "select 1"',
    })
  },
}
