import { fail, ofDatabase, ok, type Check } from '../check.ts'

export const databaseIndexes: Check = {
  id: 'database-indexes',
  title: 'Every index of the database is valid',
  look: ofDatabase(({ invalidIndexes }) =>
    invalidIndexes.length === 0
      ? ok('all are')
      : fail('database-index-invalid', {
          evidence: `${invalidIndexes.join(', ')} is not valid`,
          meaning: 'It was left half made by a CREATE INDEX CONCURRENTLY: it is kept up to date, and used by nobody.',
          command: `psql "$DB_POSTGRES_URL" -c 'reindex index concurrently ${invalidIndexes[0]}'`,
        }),
  ),
}
