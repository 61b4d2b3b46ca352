import type { Statement } from '../session.ts'
import type { CommitPart } from './commit-part.ts'
import { formatRanges, parseRanges } from './ranges.ts'
import { unknownRepo, type RepoState } from './repo-state.ts'
import type { RunPart } from './run-part.ts'

/** What is stored of repos: to be read and written under their locks alone. */
export interface StoredRepos {
  states: ReadonlyMap<string, RepoState>
  waiting: ReadonlyMap<string, readonly CommitPart[]>
  runs: ReadonlyMap<string, readonly RunPart[]>
}

/** The three statements that `storedRepos` makes sense of, in this order. */
export function readRepos(dids: readonly string[]): [Statement, Statement, Statement] {
  const values = [dids]
  return [
    {
      text: `select did, head_rev, head_commit, head_data, floor_rev, broken_rev, broken_since, broken_prev_data from millrace_repo where did = any ($1::text[])`,
      values,
    },
    {
      text: `select did, rev, commit, data, since, prev_data, host, ops, seen::text from millrace_commit where did = any ($1::text[])`,
      values,
    },
    {
      text: `select did, run, rev, host, seen::text, records, commit, data, mark, repair, reindex from millrace_run where did = any ($1::text[])`,
      values,
    },
  ]
}

interface RepoRow {
  did: string
  head_rev: string | null
  head_commit: string | null
  head_data: string | null
  floor_rev: string | null
  broken_rev: string | null
  broken_since: string | null
  broken_prev_data: string | null
}
interface CommitRow {
  did: string
  rev: string
  commit: string
  data: string
  since: string | null
  prev_data: string | null
  host: string | null
  ops: number
  seen: string
}
interface RunRow {
  did: string
  run: string
  rev: string
  host: string | null
  seen: string
  records: number | null
  commit: string | null
  data: string | null
  mark: string | null
  repair: number | null
  reindex: boolean
}

export function storedRepos(
  repos: readonly object[],
  commits: readonly object[],
  runs: readonly object[],
): StoredRepos {
  return {
    states: new Map((repos as RepoRow[]).map((row) => [row.did, stateOf(row)])),
    waiting: grouped((commits as CommitRow[]).map(commitOf)),
    runs: grouped((runs as RunRow[]).map(runOf)),
  }
}

function stateOf(row: RepoRow): RepoState {
  const { head_rev: rev, head_commit: commit, head_data: data, broken_rev: broken } = row
  return {
    head: rev !== null && commit !== null && data !== null ? { rev, commit, data } : unknownRepo.head,
    broken: broken === null ? null : { rev: broken, since: row.broken_since, prevData: row.broken_prev_data },
    floor: row.floor_rev,
  }
}

function commitOf({ prev_data, host, seen, ...row }: CommitRow): CommitPart {
  // A #sync never waits.
  return { ...row, prevData: prev_data, host: host ?? undefined, seen: parseRanges(seen), isSync: false }
}

function runOf({ host, seen, records, commit, data, mark, ...row }: RunRow): RunPart {
  const closing =
    records === null || commit === null || data === null ? null : { rev: row.rev, commit, data, records, mark }
  return { ...row, host: host ?? undefined, seen: parseRanges(seen), closing }
}

function grouped<T extends { did: string }>(rows: readonly T[]): Map<string, T[]> {
  return Map.groupBy(rows, (row) => row.did)
}

/** What a transaction makes of repos. */
export interface RepoWrites {
  /** Repos whose state changed, by DID. */
  states: readonly (readonly [did: string, state: RepoState])[]
  /** Commits that wait, and accounts whose stored ones are replaced by these. */
  waiting: readonly CommitPart[]
  waitingOf: readonly string[]
  /** Runs that go on, and accounts whose stored ones are replaced by these. */
  runs: readonly RunPart[]
  runsOf: readonly string[]
}

/** In the order of the accounts, which all who write here keep. */
export function writeRepos({ states, waiting, waitingOf, runs, runsOf }: RepoWrites): (Statement | undefined)[] {
  const column = <T>(rows: readonly T[], value: (row: T) => unknown): unknown[] => rows.map(value)
  return [
    states.length === 0
      ? undefined
      : {
          text: `
            insert into millrace_repo (did, head_rev, head_commit, head_data, floor_rev, broken_rev, broken_since, broken_prev_data)
            select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
            on conflict (did) do update set head_rev = excluded.head_rev, head_commit = excluded.head_commit,
              head_data = excluded.head_data, floor_rev = excluded.floor_rev, broken_rev = excluded.broken_rev,
              broken_since = excluded.broken_since, broken_prev_data = excluded.broken_prev_data, updated_at = now()`,
          values: [
            column(states, ([did]) => did),
            column(states, ([, { head }]) => head?.rev ?? null),
            column(states, ([, { head }]) => head?.commit ?? null),
            column(states, ([, { head }]) => head?.data ?? null),
            column(states, ([, { floor }]) => floor),
            column(states, ([, { broken }]) => broken?.rev ?? null),
            column(states, ([, { broken }]) => broken?.since ?? null),
            column(states, ([, { broken }]) => broken?.prevData ?? null),
          ],
        },
    waitingOf.length === 0
      ? undefined
      : {
          // What waited before keeps the time since when it does.
          text: `
            delete from millrace_commit as c where did = any ($1::text[])
              and not exists (select from unnest($2::text[], $3::text[]) as k(did, rev) where k.did = c.did and k.rev = c.rev)`,
          values: [waitingOf, column(waiting, ({ did }) => did), column(waiting, ({ rev }) => rev)],
        },
    waiting.length === 0
      ? undefined
      : {
          text: `
            insert into millrace_commit (did, rev, commit, data, since, prev_data, host, ops, seen)
            select did, rev, commit, data, since, prev_data, host, ops, seen::int4multirange
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::text[])
              as k(did, rev, commit, data, since, prev_data, host, ops, seen)
            on conflict (did, rev) do update set seen = excluded.seen where millrace_commit.seen <> excluded.seen`,
          values: [
            column(waiting, ({ did }) => did),
            column(waiting, ({ rev }) => rev),
            column(waiting, ({ commit }) => commit),
            column(waiting, ({ data }) => data),
            column(waiting, ({ since }) => since),
            column(waiting, ({ prevData }) => prevData),
            column(waiting, ({ host }) => host ?? null),
            column(waiting, ({ ops }) => ops),
            column(waiting, ({ seen }) => formatRanges(seen)),
          ],
        },
    runsOf.length === 0
      ? undefined
      : {
          text: `
            delete from millrace_run as r where did = any ($1::text[])
              and not exists (select from unnest($2::text[], $3::text[]) as k(did, run) where k.did = r.did and k.run = r.run)`,
          values: [runsOf, column(runs, ({ did }) => did), column(runs, ({ run }) => run)],
        },
    runs.length === 0
      ? undefined
      : {
          text: `
            insert into millrace_run (did, run, rev, host, seen, records, commit, data, mark, repair, reindex)
            select did, run, rev, host, seen::int4multirange, records, commit, data, mark, repair, reindex
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::boolean[])
              as k(did, run, rev, host, seen, records, commit, data, mark, repair, reindex)
            on conflict (did, run) do update set seen = excluded.seen, records = excluded.records, commit = excluded.commit,
              data = excluded.data, mark = excluded.mark, updated_at = now()`,
          values: [
            column(runs, ({ did }) => did),
            column(runs, ({ run }) => run),
            column(runs, ({ rev }) => rev),
            column(runs, ({ host }) => host ?? null),
            column(runs, ({ seen }) => formatRanges(seen)),
            column(runs, ({ closing }) => closing?.records ?? null),
            column(runs, ({ closing }) => closing?.commit ?? null),
            column(runs, ({ closing }) => closing?.data ?? null),
            column(runs, ({ closing }) => closing?.mark ?? null),
            column(runs, ({ repair }) => repair),
            column(runs, ({ reindex }) => reindex),
          ],
        },
  ]
}
