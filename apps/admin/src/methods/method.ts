import type { AdminMethod, Change, InputOf, OutputOf } from '@millrace/admin-api'
import type { Database } from '@millrace/database'
import type { StreamStore } from '@millrace/stream-protocol'
import type { AdminSources } from '../admin-sources.ts'

/** `viewer` only looks. */
export type Role = 'viewer' | 'operator'

/** Who calls a method. */
export interface Caller {
  /** For the audit log: a user with an address, or a DID. */
  who: string
  role: Role
}

export interface MethodContext {
  sources: AdminSources
  caller: Caller
  signal?: AbortSignal | undefined
}

/** A method of `dev.millrace.admin`, without what carries it. */
export interface Method<Name extends AdminMethod = AdminMethod> {
  readonly name: Name
  readonly role: Role
  run(input: InputOf<Name>, context: MethodContext): Promise<OutputOf<Name>>
}

/** One method among others: what it takes is checked against its lexicon before it is run. */
export type AnyMethod = Omit<Method, 'run'> & {
  run(input: never, context: MethodContext): Promise<OutputOf<AdminMethod>>
}

export function defineMethod<Name extends AdminMethod>(method: Method<Name>): Method<Name> {
  return method
}

/** What a method refuses: its message is for people, and holds nothing internal (hazard M8). */
export class MethodError extends Error {
  override readonly name = 'MethodError'
  /** As in the lexicon. */
  readonly error: string
  /** 503 for what may be well later. */
  readonly status: 400 | 503

  constructor(error: string, message: string, { status = 400, cause }: { status?: 400 | 503; cause?: unknown } = {}) {
    super(message, { cause })
    this.error = error
    this.status = status
  }
}

/** @throws {MethodError} when it is not there. */
export function storeOf({ sources: { store } }: MethodContext): StreamStore {
  if ('why' in store) throw new MethodError('Unavailable', `the store of streams: ${store.why}`, { status: 503 })
  return store
}

/** @throws {MethodError} when it is not there. */
export function databaseOf({ sources: { database } }: MethodContext): Database {
  if (database === undefined)
    throw new MethodError('Unavailable', 'no database is configured (DB_POSTGRES_URL)', { status: 503 })
  if ('why' in database) throw new MethodError('Unavailable', `the database: ${database.why}`, { status: 503 })
  return database
}

/** A cursor of ours is a number that a page ended with. @throws {MethodError} for anything else. */
export function numberCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (!/^\d{1,15}$/.test(cursor))
    throw new MethodError('InvalidRequest', 'the cursor is not one that a page has ended with')
  return Number(cursor)
}

/** An id of a stream entry, as a cursor. @throws {MethodError} for anything else. */
export function entryCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '0-0'
  if (!/^\d{1,15}-\d{1,20}$/.test(cursor))
    throw new MethodError('InvalidRequest', 'the cursor is not the id of an entry')
  return cursor
}

/** The change that a dry run would make. */
export function wouldChange(changed: number, summary: string): Change {
  return { changed, summary, dryRun: true }
}

/** Nothing had to be done. */
export function noChange(summary: string, dryRun = false): Change {
  return { changed: 0, summary, dryRun }
}
