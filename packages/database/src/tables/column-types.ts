import type { ColumnType, GeneratedAlways } from 'kysely'

/** Written as JSON text, read as what it says. */
export type Json<T> = ColumnType<T | null, string | null | undefined, string | null>

/** `least("createdAt", "indexedAt")`, kept by Postgres. */
export type SortKey = GeneratedAlways<string>

/** A column with a default that is not ours to write: operators and the AppView do. */
export type NotOurs<T> = ColumnType<T, never, never>

/** Set by default when absent. */
export type WithDefault<T> = ColumnType<T, T | undefined, T>

/** A point in time: read as a Date, written as one or as RFC 3339. */
export type Timestamp = ColumnType<Date, Date | string>
export type TimestampOrNull = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
export type TimestampWithDefault = ColumnType<Date, Date | string | undefined, Date | string>
