export { openLedgerDatabase, type OpenLedgerDatabaseOptions } from './open-ledger-database.ts'
export { openMigratedDatabase, type OpenMigratedDatabaseOptions } from './open-database.ts'
export { openStreams, type OpenStreamsOptions } from './open-streams.ts'
