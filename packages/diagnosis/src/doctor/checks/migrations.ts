import { fail, ofDatabase, ok, type Check } from '../check.ts'

export const migrations: Check = {
  id: 'migrations',
  title: 'The schema is the one that this release needs (X23)',
  look: ofDatabase(({ migrations: { appView, missing, pending, unknown } }) => {
    if (unknown.length > 0)
      return fail('schema-newer', {
        evidence: `the database has had ${unknown.join(', ')}, which this release does not know`,
        meaning: 'A newer release has migrated it: processes of this one refuse to start.',
        command: 'millrace --version',
      })
    if (appView === 'absent' || pending.length > 0)
      return fail('schema-behind', {
        evidence: appView === 'absent' ? 'there are no tables' : `${pending.join(', ')} is to come`,
        meaning: 'The first process of this release that starts makes what is missing.',
        command: 'millrace-indexer',
      })
    return appView === 'complete'
      ? ok('nothing is to come')
      : fail('appview-schema-old', {
          evidence: `the AppView's tables lack ${missing.join(', ')}`,
          meaning: 'They are of an older AppView: rows cannot be written.',
          command: 'psql "$DB_POSTGRES_URL" -c "select name from bsky.kysely_migration order by 1 desc limit 5"',
        })
  }),
}
