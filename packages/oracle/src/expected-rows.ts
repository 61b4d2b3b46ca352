import { countRows } from './counts.ts'
import type { FinalNetwork } from './final-network.ts'
import { labelRows } from './labels.ts'
import { noticesOf, noticesOfPost, notificationRows } from './notifications.ts'
import { settlePairs } from './pairs.ts'
import { postParts, postRow, readPost } from './posts.ts'
import { keptRecords, type KeptRecord } from './records.ts'
import type { Row, Rows } from './tables.ts'
import { typedRecord, type TypedRecord } from './typed-rows.ts'
import { judge } from './verdicts.ts'

/** The two things that the end does not tell, because they are history. */
export interface Observed {
  /** When the version of a record that counts was seen. */
  seenAt: (uri: string) => string
  /**
   * Whether the gate of its thread forbade a reply, where the gate's rules ask for follows or members of lists: those
   * count as they were when it was judged. @default as they are in the end
   */
  wasForbidden?: (uri: string) => boolean
}

export interface OracleOptions extends FinalNetwork, Observed {
  /** The clock, in milliseconds since 1970. */
  now: number
  /** Age of a record up to which it notifies, in milliseconds. @default Infinity */
  notificationHorizonMs?: number
}

/**
 * The rows that a network must end in, whatever happened on the way: computed at once from the final records, accounts
 * and labels, in the plainest way, with nothing that the indexer is made of. A function of values.
 */
export function expectedRows(options: OracleOptions): Rows {
  const { repos, accounts, labels, seenAt, wasForbidden, now, notificationHorizonMs = Infinity } = options
  const tables = new Map<string, Row[]>()
  const add = (table: string, ...rows: Row[]): void => {
    const list = tables.get(table)
    if (list) list.push(...rows)
    else tables.set(table, rows)
  }
  const rowsOf = (table: string): readonly Row[] => tables.get(table) ?? []

  const kept = keptRecords(options, seenAt)
  const records = new Map(kept.map(({ uri, json }) => [uri, json]))
  add('record', ...kept.map(recordRow))

  const { winners, duplicates } = settlePairs(kept.flatMap((record) => typedRecord(record) ?? []))
  add('duplicate_record', ...duplicates)
  for (const { table, row } of winners) add(table, row)
  // Of a repost that is a duplicate nothing is shown, nor of one that names its post by a handle.
  for (const { table, record, row } of winners)
    if (table === 'repost' && String(row['subject']).startsWith('at://did:')) add('feed_item', repostItem(record, row))

  const posts = new Map(
    kept
      .filter(({ collection }) => collection === 'app.bsky.feed.post')
      .map((record) => [record.uri, readPost(record)]),
  )
  const pairs = (table: string, a: string, b: string): ReadonlySet<string> =>
    new Set(rowsOf(table).map((row) => `${String(row[a])} ${String(row[b])}`))
  const followed = pairs('follow', 'creator', 'subjectDid')
  const listed = pairs('list_item', 'listUri', 'subjectDid')
  const surroundings = {
    records,
    posts,
    follows: (did: string, other: string) => followed.has(`${did} ${other}`),
    isListed: (list: string, did: string) => listed.has(`${list} ${did}`),
    wasForbidden,
  }
  const gated = (table: string): ReadonlySet<unknown> => new Set(rowsOf(table).map((row) => row['postUri']))
  const threadGated = gated('thread_gate')
  const postGated = gated('post_gate')
  const isNews = (sortAt: string): boolean => Date.parse(sortAt) > now - notificationHorizonMs
  for (const [uri, post] of posts) {
    const verdict = judge(post, surroundings)
    const flags = { hasThreadGate: threadGated.has(uri) || null, hasPostGate: postGated.has(uri) || null }
    add('post', { ...postRow(post), ...verdict, ...flags })
    for (const [table, row] of postParts(post)) add(table, row)
    add('notification', ...notificationRows(post.record, noticesOfPost(post, verdict, posts, records), isNews))
  }
  for (const winner of winners) add('notification', ...notificationRows(winner.record, noticesOf(winner), isNews))

  for (const [table, rows] of Object.entries(countRows(rowsOf))) add(table, ...rows)
  const present = new Map(accounts.filter(({ deleted }) => !deleted).map((account) => [account.did, account]))
  for (const { did, status, handle } of present.values())
    add('actor', { did, upstreamStatus: status, ...(handle !== undefined && { handle }) })
  for (const { did, rev, commit } of repos)
    if (present.has(did)) add('actor_sync', { did, repoRev: rev, commitCid: commit })
  add('label', ...labelRows(labels))
  return tables
}

function recordRow({ uri, cid, did, json, indexedAt }: KeptRecord): Row {
  return { uri, cid, did, json: JSON.stringify(json), indexedAt }
}

function repostItem({ uri, cid, did, sortAt }: KeptRecord, row: TypedRecord['row']): Row {
  return { uri, cid, type: 'repost', postUri: row['subject'], originatorDid: did, sortAt }
}
