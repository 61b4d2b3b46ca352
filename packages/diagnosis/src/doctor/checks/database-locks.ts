import { ago } from '../../words.ts'
import { ofDatabase, ok, warn, type Check } from '../check.ts'

export const databaseLocks: Check = {
  id: 'database-locks',
  title: 'Nobody waits for long for a lock in the database',
  look: ofDatabase(({ blocked }) =>
    blocked.length === 0
      ? ok('no statement waits for more than 30 s, and no transaction is left open')
      : blocked.map(({ pid, application, seconds, by, isIdle }) =>
          warn(isIdle ? 'transaction-left-open' : 'lock-waits', {
            subject: application,
            evidence: isIdle
              ? `a transaction of ${application} (pid ${pid}) does nothing for ${ago(seconds)}`
              : `${application} (pid ${pid}) has waited ${ago(seconds)} for a lock of ${by.length > 0 ? `pid ${by.join(', ')}` : 'somebody'}`,
            meaning: isIdle
              ? 'What it has locked stays locked, and old row versions cannot be cleaned up.'
              : 'A batch that waits for a lock is tried again after 15 s, which does not help while the other one keeps it.',
            command: `psql "$DB_POSTGRES_URL" -c "select query from pg_stat_activity where pid in (${[...by, pid].join(', ')})"`,
          }),
        ),
  ),
}
