import { atMost, exactly, figure, formatColumns, formatTable, percentile, type Result } from '@millrace/testing/results'
import type { Difference } from './compare-repos.ts'
import type { InletsResult } from './play-inlets.ts'

/** Most memory of a backfiller, and the longest that one in a hundred live records may take. */
const MOST_MEGABYTES = 1_000
const MOST_LAG_MS = 2_000

/** The figures of such a run, with what they have to be. */
export function inletsResults(result: InletsResult): Result[] {
  const { small, large, lags, hostileRows, peakMegabytes, backfillMs, indexedMs } = result
  const differing = (what: string, difference: Difference): Result =>
    exactly(0, `${what}: rows that differ`, difference.missing + difference.unexpected + difference.other, 'rows')
  return [
    figure('small repos', small.repos, 'repos'),
    figure('small repos: records', small.records, 'records'),
    differing('small repos', small.difference),
    ...large.flatMap(({ what, records, bytes, difference }) => [
      figure(`repo of ${what}`, bytes / 1e6, 'MB'),
      figure(`repo of ${what}: records`, records, 'records'),
      differing(`repo of ${what}`, difference),
    ]),
    exactly(0, 'hostile hosts: rows of theirs', hostileRows, 'rows'),
    figure('backfill', backfillMs / 1_000, 's'),
    figure('until the last row', indexedMs / 1_000, 's'),
    atMost(MOST_MEGABYTES, 'memory: most of the backfiller', peakMegabytes.backfiller, 'MB'),
    figure('memory: most of the ingester', peakMegabytes.ingester, 'MB'),
    figure('memory: most of the indexer', peakMegabytes.indexer, 'MB'),
    figure('live: records meanwhile', lags.length, 'records'),
    figure('live: firehose to row, median', percentile(lags, 50) / 1_000, 's'),
    atMost(MOST_LAG_MS / 1_000, 'live: firehose to row, 99 of 100', percentile(lags, 99) / 1_000, 's'),
    figure('live: firehose to row, most', percentile(lags, 100) / 1_000, 's'),
  ]
}

/** The same for people, with what became of each hostile host. */
export function renderInlets(result: InletsResult): string {
  const hosts = result.hostile.map(({ name, does, accounts, requests, refusedAs }) => [
    name,
    does,
    String(accounts),
    String(requests),
    refusedAs.join(', ') || 'tried again later',
  ])
  const header = ['host', 'it', 'accounts', 'requests', 'its repos are']
  return `${formatColumns([header, ...hosts], [2, 3])}\n\n${formatTable(inletsResults(result))}`
}
