import { isObject, type JsonObject } from '@millrace/stream-protocol'
import type { Row } from '@millrace/oracle'
import type { AcceptedRow, AcceptedRows } from './accepted-rows.ts'
import { subjectOf, type AnswerDifference } from './compare-answers.ts'
import { pagingOf } from './paging.ts'
import type { RecordedCall } from './recorded-calls.ts'

/** One answer with all that it takes to judge it. */
export interface AnswerPair {
  call: RecordedCall
  expected: unknown
  actual: unknown
  rows: AcceptedRows
}

/**
 * A place of an answer shows rows. When these are rows that differ on purpose, and the answers show just the two
 * values that the rows have, the difference is that of the rows; nothing else explains one.
 */
type Explanation = (difference: AnswerDifference, pair: AnswerPair) => string[]

/** Names of the deviations that explain a difference; none when it is unexplained. */
export function explainDifference(difference: AnswerDifference, pair: AnswerPair): string[] {
  for (const explanation of explanations) {
    const names = explanation(difference, pair)
    if (names.length > 0) return names
  }
  return []
}

const counts: Readonly<Record<string, string>> = {
  likeCount: 'post_agg',
  repostCount: 'post_agg',
  replyCount: 'post_agg',
  quoteCount: 'post_agg',
  followersCount: 'profile_agg',
  followsCount: 'profile_agg',
  postsCount: 'profile_agg',
}

const explanations: readonly Explanation[] = [
  function countOfAView({ kind, field, subject, expected, actual }, { rows }) {
    const table = counts[field]
    const row = table === undefined || kind !== 'changed' ? undefined : rows.find(table, subject)
    return row?.difference.expected?.[field] === expected && row?.difference.actual?.[field] === actual
      ? [row!.deviation]
      : []
  },

  // A reply that is not allowed stands alone: it is in no thread, and nobody may answer it.
  function verdictOnAReply({ kind, field, subject, expected, actual }, { rows }) {
    const item = actual ?? expected
    const isHere =
      kind === 'changed'
        ? ['parent', 'reply', 'replies', 'replyDisabled'].includes(field) && [expected, actual].includes(undefined)
        : field === 'replies'
    const row = isHere ? rows.find('post', kind === 'changed' ? subject : subjectOf(item)) : undefined
    return row?.deviation === 'verdicts-converge' ? [row.deviation] : []
  },

  function itemOfAPage({ kind, field, expected, actual }, { call, rows }) {
    const paging = pagingOf(call, field)
    const item = actual ?? expected
    const row = paging && isObject(item) ? rows.find(paging.table, ...paging.keyOf(item, call)) : undefined
    return row && (row.difference.kind === kind || row.difference.kind === 'changed') ? [row.deviation] : []
  },

  function quoteOfAPost({ kind, field, expected, actual }, { call, rows }) {
    const item = actual ?? expected
    const isQuote = call.nsid === 'app.bsky.feed.getQuotes' && field === 'posts' && isObject(item)
    const row = isQuote ? rows.find('quote', item['uri']) : undefined
    return row?.difference.kind === kind ? [row.deviation] : []
  },

  function beyondTheEndOfAPage({ kind, field, expected, actual, isAtEnd }, pair) {
    const { call, rows } = pair
    const paging = pagingOf(call, field)
    const item = actual ?? expected
    if (!paging || !isObject(item) || !isAtEnd) return []
    // The side that does not show it has the same row, and goes on with it on its next page.
    const side = kind === 'missing' ? 'actual' : 'expected'
    const cursor = cursorOf(pair[side])
    const key = paging.keyOf(item, call)
    const row = rows.index.all(side, paging.table).find((row) => paging.isRow(row, key))
    return row && cursor !== undefined && paging.isBehind(row, cursor) ? movedThePage(pair, field) : []
  },

  function endOfAPage({ kind, at }, pair) {
    const list = isObject(pair.expected)
      ? Object.keys(pair.expected).find((field) => pagingOf(pair.call, field))
      : undefined
    return at === '$.cursor' && kind === 'changed' && list !== undefined ? movedThePage(pair, list) : []
  },

  function newestNotification({ at, expected, actual }, pair) {
    if (at !== '$.seenAt' || pair.call.params['cursor'] !== undefined) return []
    const { call, rows } = pair
    const reasons = call.params['reasons']
    const newest = (side: 'expected' | 'actual'): unknown =>
      rows.index
        .all(side, 'notification')
        .filter(
          ({ did, reason }) => did === call.viewer && (!Array.isArray(reasons) || reasons.includes(String(reason))),
        )
        .filter(({ reasonSubject: uri }) => uri === null || rows.index.has(side, 'record', 'uri', uri))
        .map(({ sortAt }) => String(sortAt))
        .sort()
        .at(-1)
    return newest('expected') === expected && newest('actual') === actual ? movedThePage(pair, 'notifications') : []
  },

  function countOfNotifications({ at, expected, actual }, { call, rows }) {
    if (call.nsid !== 'app.bsky.notification.getUnreadCount' || at !== '$.count') return []
    const isCounted = (row: Row | undefined): boolean => row?.['did'] === call.viewer
    const count = (side: 'expected' | 'actual'): number =>
      rows.index
        .all(side, 'notification')
        .filter((row) => isCounted(row) && rows.index.has(side, 'record', 'uri', row['recordUri'])).length
    if (count('expected') !== expected || count('actual') !== actual) return []
    return namesOf(
      rows.all('notification').filter(({ difference }) => isCounted(difference.actual ?? difference.expected)),
    )
  },

  function timeOfIndexing({ kind, field, subject, expected, actual }, { rows }) {
    const uri = subject?.startsWith('did:') ? `at://${subject}/app.bsky.actor.profile/self` : subject
    const indexedAt = (side: 'expected' | 'actual'): unknown =>
      rows.index.find(side, 'record', 'uri', uri)?.['indexedAt']
    const isClock = kind === 'changed' && field === 'indexedAt'
    return isClock && indexedAt('expected') === expected && indexedAt('actual') === actual ? ['our-clock'] : []
  },
]

/** Rows on this page, or before its end, that only one side has. */
function movedThePage({ call, expected, actual, rows }: AnswerPair, list: string): string[] {
  const paging = pagingOf(call, list)
  if (!paging) return []
  const start = call.params['cursor']
  const ends = [cursorOf(expected), cursorOf(actual)]
  const isOnPage = (row: Row): boolean =>
    (start === undefined || paging.isBehind(row, String(start))) &&
    ends.some((end) => end === undefined || !paging.isBehind(row, end))
  return namesOf(
    rows
      .all(paging.table)
      .filter(({ difference }) =>
        [difference.expected, difference.actual].some(
          (row) => row !== undefined && paging.isListed(row, call, rows.index) && isOnPage(row),
        ),
      ),
  )
}

function namesOf(rows: readonly AcceptedRow[]): string[] {
  return [...new Set(rows.map(({ deviation }) => deviation))]
}

function cursorOf(body: unknown): string | undefined {
  const cursor = (body as JsonObject)['cursor']
  return typeof cursor === 'string' ? cursor : undefined
}
