import type { Difference, Row, Rows } from '@millrace/oracle'

/** Both databases, for rules that look further than one row. */
export interface ComparedRows {
  expected: Rows
  actual: Rows
}

export interface Deviation {
  /** As in `docs/deviations.md`. */
  name: string
  reason: string
  covers: (difference: Difference, rows: RowIndex) => boolean
}

/** Rows by their first key, made once. */
export class RowIndex {
  readonly #rows: ComparedRows
  readonly #sets = new Map<string, Set<unknown>>()

  constructor(rows: ComparedRows) {
    this.#rows = rows
  }

  /** Whether a row of a table has this value in a column. */
  has(side: keyof ComparedRows, table: string, column: string, value: unknown): boolean {
    const key = `${side} ${table} ${column}`
    let set = this.#sets.get(key)
    if (!set) this.#sets.set(key, (set = new Set(this.all(side, table).map((row) => row[column]))))
    return set.has(value)
  }

  all(side: keyof ComparedRows, table: string): readonly Row[] {
    return this.#rows[side].get(table) ?? []
  }

  find(side: keyof ComparedRows, table: string, column: string, value: unknown): Row | undefined {
    return this.all(side, table).find((row) => row[column] === value)
  }

  /** A record that the network has at the end. */
  isLive(uri: unknown): boolean {
    return this.has('expected', 'record', 'uri', uri)
  }
}

const gateOf = (root: unknown): string => String(root).replace('/app.bsky.feed.post/', '/app.bsky.feed.threadgate/')

/** A reply that the reference judged by what has gone since, or by the verdict on such a one. */
function isJudgedAgain({ expected, actual }: Difference, rows: RowIndex): boolean {
  const gateWent = expected?.['violatesThreadGate'] === true && !rows.isLive(gateOf(actual?.['replyRoot']))
  const parent = (side: keyof ComparedRows): unknown =>
    rows.find(side, 'post', 'uri', actual?.['replyParent'])?.['invalidReplyRoot']
  return gateWent || !rows.isLive(actual?.['replyParent']) || parent('expected') !== parent('actual')
}

/** Nobody was told of the reply, since a gate that went forbade it; or it was told to whoever wrote what went. */
function isToldAgain({ kind, expected, actual }: Difference, rows: RowIndex): boolean {
  const uri = (actual ?? expected)?.['recordUri']
  const theirs = rows.find('expected', 'post', 'uri', uri)
  return kind === 'extra'
    ? theirs?.['violatesThreadGate'] === true && !rows.isLive(gateOf(theirs['replyRoot']))
    : kind === 'missing' && rows.isLive(uri) && !rows.isLive(expected?.['reasonSubject'])
}

/** On the way from the reply's parent up to what was told there is a post of another thread, itself included. */
function isBeyondTheThread({ expected }: Difference, rows: RowIndex): boolean {
  const postOf = (uri: unknown): Row | undefined => rows.find('actual', 'post', 'uri', uri)
  const reply = postOf(expected?.['recordUri'])
  let above = postOf(reply?.['replyParent'])
  while (above && above['uri'] !== expected?.['reasonSubject']) {
    above = postOf(above['replyParent'])
    if (above && reply?.['replyRoot'] !== above['uri'] && reply?.['replyRoot'] !== above['replyRoot']) return true
  }
  return false
}

/** What a relation is to, as its record says. */
function subjectOf({ table, actual }: Difference, rows: RowIndex): Row | undefined {
  return table === 'feed_item' ? rows.find('actual', 'repost', 'uri', actual?.['uri']) : actual
}

/** The tables with one row for several records that say the same. */
const claimed = ['like', 'repost', 'follow', 'actor_block', 'list_item', 'list_block', 'verification']

function hasRow(uri: unknown, rows: RowIndex): boolean {
  return claimed.some((table) => rows.has('actual', table, 'uri', uri))
}

function recount(difference: Difference, rows: RowIndex): boolean {
  const counts: Record<string, (subject: string) => number> = {
    followersCount: (did) => rows.all('actual', 'follow').filter((row) => row['subjectDid'] === did).length,
    followsCount: (did) => rows.all('actual', 'follow').filter((row) => row['creator'] === did).length,
    postsCount: (did) => rows.all('actual', 'post').filter((row) => row['creator'] === did).length,
    likeCount: (uri) => rows.all('actual', 'like').filter((row) => row['subject'] === uri).length,
    repostCount: (uri) => rows.all('actual', 'repost').filter((row) => row['subject'] === uri).length,
    replyCount: (uri) =>
      rows.all('actual', 'post').filter((row) => row['replyParent'] === uri && row['violatesThreadGate'] !== true)
        .length,
    quoteCount: (uri) => rows.all('actual', 'quote').filter((row) => row['subject'] === uri).length,
  }
  return (
    difference.kind === 'changed' &&
    difference.columns.every(({ name, actual }) => counts[name]?.(difference.key) === actual)
  )
}

/** A row of a record that names another one by a handle, where readers fail on that. */
function isUnreadable({ table, kind, expected }: Difference, rows: RowIndex): boolean {
  const uri = expected?.['uri'] ?? expected?.['recordUri'] ?? expected?.['postUri']
  const json = String(rows.find('expected', 'record', 'uri', uri)?.['json'])
  const collections = /\/app\.bsky\.(feed\.post|feed\.threadgate|actor\.profile)\//
  const isRead = collections.test(String(uri)) || (table === 'feed_item' && expected?.['type'] === 'repost')
  return kind === 'missing' && isRead && /"(uri|list)":"at:\/\/(?!did:)/.test(json)
}

/** Sorted by the time of indexing, which was that of the firehose there and our clock here. */
function sortsByOurClock({ kind, columns, actual }: Difference, rows: RowIndex): boolean {
  const uri = actual?.['recordUri'] ?? actual?.['uri']
  const indexedAt = (side: keyof ComparedRows): unknown => rows.find(side, 'record', 'uri', uri)?.['indexedAt']
  return (
    kind === 'changed' &&
    columns.every(
      ({ name, expected, actual }) =>
        (name === 'sortAt' || name === 'sortedAt') &&
        expected === indexedAt('expected') &&
        actual === indexedAt('actual'),
    )
  )
}

/**
 * Where our rows differ from the reference's on purpose. Each covers only rows for which its reason holds: anything
 * else is a failure.
 */
export const deviations: readonly Deviation[] = [
  {
    name: 'other-collections',
    reason:
      'Collections that no plugin knows are kept in `record`; the reference drops them. `INDEXER_OTHER_COLLECTIONS=skip` does so too.',
    covers: ({ table, kind, actual }) =>
      table === 'record' &&
      kind === 'extra' &&
      !/\/(app\.bsky|chat\.bsky|com\.germnetwork)\./.test(String(actual?.['uri'])),
  },
  {
    name: 'promotion-clears-duplicate',
    reason:
      'When a record gets the row that another one had, it is no duplicate any longer; the reference leaves the mark, which then points at nothing.',
    covers: ({ table, kind, expected }, rows) =>
      table === 'duplicate_record' &&
      kind === 'missing' &&
      !rows.isLive(expected?.['duplicateOf']) &&
      (hasRow(expected?.['uri'], rows) || !rows.isLive(expected?.['uri'])),
  },
  {
    name: 'retracted-notifications',
    reason:
      'A notification goes with the record that led to it; the reference keeps some of records that are gone, and adds one when a verification goes.',
    covers: ({ table, kind, expected }, rows) =>
      table === 'notification' && kind === 'missing' && !rows.isLive(expected?.['recordUri']),
  },
  {
    name: 'promotion-notifies',
    reason: 'A record that gets the row of a removed one also notifies, as if it had come alone.',
    covers: ({ table, kind, actual }, rows) =>
      table === 'notification' &&
      kind === 'extra' &&
      rows.has('expected', 'duplicate_record', 'uri', actual?.['recordUri']) &&
      hasRow(actual?.['recordUri'], rows),
  },
  {
    name: 'verdicts-converge',
    reason:
      'Whether a reply is valid and allowed follows its parent and its gate when they change or go; the reference decides once, when the reply arrives.',
    covers: (difference, rows) =>
      (difference.table === 'post' &&
        difference.kind === 'changed' &&
        difference.columns.every(({ name }) => name === 'invalidReplyRoot' || name === 'violatesThreadGate') &&
        isJudgedAgain(difference, rows)) ||
      (difference.table === 'notification' &&
        (difference.actual ?? difference.expected)?.['reason'] === 'reply' &&
        isToldAgain(difference, rows)),
  },
  {
    name: 'threads-are-apart',
    reason:
      'Of a reply whose parent is in another thread the author of the parent hears, and nobody above; the reference climbs on through the other thread.',
    covers: (difference, rows) =>
      difference.table === 'notification' &&
      difference.kind === 'missing' &&
      difference.expected?.['reason'] === 'reply' &&
      isBeyondTheThread(difference, rows),
  },
  {
    name: 'gate-flag-is-null',
    reason: 'A post whose gate went is like one that never had any; the reference remembers it as `false`.',
    covers: ({ table, kind, columns }) =>
      table === 'post' &&
      kind === 'changed' &&
      columns.every(
        ({ name, expected, actual }) =>
          (name === 'hasThreadGate' || name === 'hasPostGate') && expected === false && actual === null,
      ),
  },
  {
    name: 'no-cascade-through-subjects',
    reason:
      'A repost or a quote has its rows as long as its own record exists; the reference removes them when their subject is deleted or updated.',
    covers: (difference, rows) => {
      const { table, kind, actual } = difference
      if ((table !== 'feed_item' && table !== 'quote') || kind !== 'extra' || !rows.isLive(actual?.['uri']))
        return false
      const relation = subjectOf(difference, rows)
      const subject = rows.find('expected', 'record', 'uri', relation?.['subject'])
      return relation !== undefined && subject?.['cid'] !== relation['subjectCid']
    },
  },
  {
    name: 'deleted-accounts-leave-nothing',
    reason:
      'All that a deleted account contributed goes with it; the reference leaves its feed items and its revision.',
    covers: ({ table, kind, expected }, rows) =>
      kind === 'missing' &&
      ((table === 'feed_item' && !rows.isLive(expected?.['uri'])) ||
        (table === 'actor_sync' && !rows.has('expected', 'actor', 'did', expected?.['did']))),
  },
  {
    name: 'notifications-stay-with-their-records',
    reason:
      'A notification is there as long as the record that led to it; the reference removes those to an account that is deleted.',
    covers: ({ table, kind, actual }, rows) =>
      table === 'notification' &&
      kind === 'extra' &&
      rows.isLive(actual?.['recordUri']) &&
      !rows.has('expected', 'actor', 'did', actual?.['did']),
  },
  {
    name: 'exact-counts',
    reason:
      'Counts are what counting the rows gives; the reference misses account deletions, deleted quotes and gated replies.',
    covers: (difference, rows) =>
      (difference.table === 'profile_agg' || difference.table === 'post_agg') && recount(difference, rows),
  },
  {
    name: 'our-clock',
    reason:
      'A record that came with a whole repo is dated by our clock, also where it sorts by that date; the reference dates all records by the firehose.',
    covers: sortsByOurClock,
  },
  {
    name: 'readable-records',
    reason:
      'Posts, thread gates and profiles that name a record by a handle are no records, and reposts of one are in no feed: the AppView fails to read them, and with each all that it is in; the reference keeps most of them.',
    covers: isUnreadable,
  },
]
