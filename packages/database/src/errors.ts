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

/** A migration that the database refused; its cause says why. Nothing of it is left. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
  /** As it would have been recorded. */
  readonly migration: string

  constructor(migration: string, cause: unknown) {
    super(`cannot apply the migration ${migration}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
    this.migration = migration
  }
}
