import { DeadLetters, quoteName, type Database } from '@millrace/database'
import { readOpenGaps } from '@millrace/repair'
import { hostWithoutScheme } from '@millrace/stream-protocol'
import type { AccountFacts, RecordFacts, StoredFacts } from './facts.ts'
import type { Subject } from './subject.ts'

export interface ReadStoredOptions {
  database: Database
  subject: Subject
  /** Hosts that may have sent it: gaps of others do not matter. Undefined when that is not known. */
  hosts?: readonly string[] | undefined
  /** The table of each collection that has one of its own. */
  tables: ReadonlyMap<string, string>
}

const MOST_LETTERS = 100
const MOST_LABELS = 20

/** What the database holds of the subject: every question is answered by an index (hazard M7). */
export async function readStored({ database, subject, hosts, tables }: ReadStoredOptions): Promise<StoredFacts> {
  const { did, record } = subject
  const [account, stored, letters, gaps, collections] = await Promise.all([
    readAccount(database, did),
    record && readRecord(database, record, tables.get(record.collection)),
    new DeadLetters(database).list({ did, states: ['kept', 'retry', 'discarded'] }, MOST_LETTERS),
    readOpenGaps(database),
    readCollections(database),
  ])
  const known = hosts && new Set(hosts.map(hostWithoutScheme))
  return {
    account,
    ...(stored && { record: stored }),
    letters: record ? letters.filter(({ uri }) => uri === record.uri || uri === null) : letters,
    gaps: gaps.filter(({ host }) => host === '' || !known || known.has(host)),
    collections,
  }
}

async function readAccount({ pool }: Database, did: string): Promise<AccountFacts> {
  interface Row {
    actor: AccountFacts['actor'] | null
    hidden: string | null
    deleted: boolean | null
    account_error: string | null
    account_next: Date | null
    has_account: boolean
    head: string | null
    floor: string | null
    broken: string | null
    has_repo: boolean
    reason: string | null
    since: Date | null
    attempts: number | null
    next_at: Date | null
    dirty_error: string | null
    run_rev: string | null
    opened_at: Date | null
    run_updated: Date | null
    labels: { src: string; val: string }[] | null
  }
  const { rows } = await pool.query<Row>(
    `select
       (select jsonb_build_object('handle', handle, 'upstreamStatus', "upstreamStatus", 'takedownRef', "takedownRef")
        from actor where did = k.did) as actor,
       a.did is not null as has_account, a.hidden, a.deleted, a.last_error as account_error, a.next_at as account_next,
       r.did is not null as has_repo, r.head_rev as head, r.floor_rev as floor, r.broken_rev as broken,
       d.reason, d.since, d.attempts, d.next_at, d.last_error as dirty_error,
       n.rev as run_rev, n.opened_at, n.updated_at as run_updated,
       ${labelsOf('k.did')} as labels
     from (select $1::text as did) k
       left join millrace_account a using (did)
       left join millrace_repo r using (did)
       left join millrace_dirty d using (did)
       left join lateral (select * from millrace_run where did = k.did order by opened_at desc limit 1) n on true`,
    [did],
  )
  const row = rows[0]!
  return {
    labels: row.labels ?? [],
    ...(row.actor && { actor: row.actor }),
    ...(row.has_account && {
      account: {
        hidden: row.hidden,
        deleted: row.deleted ?? false,
        lastError: row.account_error,
        nextAt: row.account_next,
      },
    }),
    ...(row.has_repo && { repo: { head: row.head, floor: row.floor, broken: row.broken } }),
    ...(row.reason !== null && {
      dirty: {
        reason: row.reason,
        since: row.since!,
        attempts: row.attempts!,
        nextAt: row.next_at!,
        lastError: row.dirty_error,
      },
    }),
    ...(row.run_rev !== null && {
      run: { rev: row.run_rev, openedAt: row.opened_at!, updatedAt: row.run_updated! },
    }),
  }
}

async function readRecord(
  { pool }: Database,
  { uri }: { uri: string },
  table: string | undefined,
): Promise<RecordFacts> {
  interface Row {
    row: RecordFacts['row'] | null
    tombstone: { rev: string; deletedAt: string; invalid: boolean } | null
    duplicate: string | null
    typed: boolean | null
    labels: { src: string; val: string }[] | null
  }
  const { rows } = await pool.query<Row>(
    `select
       (select jsonb_build_object('cid', cid, 'rev', rev, 'indexedAt', "indexedAt", 'takedownRef', "takedownRef")
        from record where uri = k.uri) as row,
       (select jsonb_build_object('rev', rev, 'deletedAt', deleted_at, 'invalid', invalid)
        from millrace_tombstone where uri = k.uri) as tombstone,
       (select "duplicateOf" from duplicate_record where uri = k.uri) as duplicate,
       ${table === undefined ? 'null' : `exists (select from ${quoteName(table)} where uri = k.uri)`} as typed,
       ${labelsOf('k.uri')} as labels
     from (select $1::text as uri) k`,
    [uri],
  )
  const { row, tombstone, duplicate, typed, labels } = rows[0]!
  return {
    labels: labels ?? [],
    ...(row && { row }),
    ...(tombstone && { tombstone: { ...tombstone, deletedAt: new Date(tombstone.deletedAt) } }),
    ...(duplicate !== null && { duplicateOf: duplicate }),
    ...(table !== undefined && typed !== null && { typed: { table, isThere: typed } }),
  }
}

/** Labels that are said of it, and not taken back. */
function labelsOf(uri: string): string {
  return `(select jsonb_agg(jsonb_build_object('src', src, 'val', val)) from (
    select src, val from label where uri = ${uri} and not neg order by src, val limit ${MOST_LABELS}
  ) as said)`
}

async function readCollections({ pool }: Database): Promise<readonly string[] | null> {
  const { rows } = await pool.query<{ value: string[] | null }>(
    `select value from millrace_setting where name = 'indexed-collections'`,
  )
  return rows[0]?.value ?? null
}
