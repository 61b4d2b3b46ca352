export { openSqliteStreams, type OpenSqliteStreamsOptions } from './open-sqlite-streams.ts'
