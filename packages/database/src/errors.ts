/**
 * A connection that could not be had, or that broke. The driver reports these without a code; this one has the code
 * that `classifyError` knows.
 */
export class DatabaseConnectionError extends Error {
  override readonly name = 'DatabaseConnectionError'
  readonly code = 'ECONNRESET'
}

/** The database has a schema that this release cannot work with. It has to be changed by hand or by another release. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}
