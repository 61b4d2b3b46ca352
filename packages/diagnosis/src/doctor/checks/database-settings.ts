import { fail, ofDatabase, ok, warn, type Check, type Finding } from '../check.ts'

const LEAST_LOCKS = 256

export const databaseSettings: Check = {
  id: 'database-settings',
  title: 'The database keeps what it was given, and takes large batches (X18)',
  look: ofDatabase(({ settings: { synchronousCommit, fsync, maxLocks, isReadOnly } }) => {
    const findings: Finding[] = []
    if (isReadOnly)
      findings.push(
        fail('database-read-only', {
          evidence: 'it is read-only, or a standby',
          meaning: 'Indexers wait until it takes writes.',
          command: 'psql "$DB_POSTGRES_URL" -c "select pg_is_in_recovery()"',
        }),
      )
    if (synchronousCommit === 'off' || fsync === 'off')
      findings.push(
        fail('database-not-durable', {
          evidence: synchronousCommit === 'off' ? 'synchronous_commit is off' : 'fsync is off',
          meaning: 'A crash of the server loses rows whose events have left their stream.',
          command: `psql "$DB_POSTGRES_URL" -c "alter system set ${synchronousCommit === 'off' ? 'synchronous_commit' : 'fsync'} = on"`,
        }),
      )
    if (maxLocks < LEAST_LOCKS)
      findings.push(
        warn('database-locks-few', {
          evidence: `max_locks_per_transaction is ${maxLocks}`,
          meaning:
            'A batch takes up to 4,000 locks: with too few it fails with "out of shared memory", and is tried again.',
          command: `psql "$DB_POSTGRES_URL" -c "alter system set max_locks_per_transaction = ${LEAST_LOCKS}"`,
        }),
      )
    return findings.length > 0 ? findings : ok('durable, and with enough locks')
  }),
}
