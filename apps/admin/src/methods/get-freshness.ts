import { databaseOf, defineMethod, MethodError } from './method.ts'

/** Rows of a bucket that are counted: enough to see a hole, and few enough to be quick (hazard M7). */
const BOUND = 1_000
const MOST_BUCKETS = 24 * 15
/** A bucket with less than this share of what the middle one has is a hole. */
const HOLE = 0.05
/** Where even the middle one has fewer rows, nothing can be said. */
const LEAST_ROWS = 20

/** The tables that have an index on a time alone: what they hold can be counted without reading rows. */
const tables = [
  { collection: 'app.bsky.feed.post', table: 'post', column: 'sortAt' },
  { collection: 'app.bsky.feed.repost', table: 'repost', column: 'sortAt' },
  { collection: 'labels', table: 'label', column: 'cts' },
] as const

export const getFreshness = defineMethod({
  name: 'getFreshness',
  role: 'viewer',
  run: async ({ since, bucket = 'hour' }, context) => {
    const bucketMs = bucket === 'day' ? 86_400_000 : 3_600_000
    const now = Date.now()
    const from = Math.floor((since === undefined ? now - 86_400_000 : Date.parse(since)) / bucketMs) * bucketMs
    const buckets = Math.ceil((now - from) / bucketMs)
    if (!(buckets >= 1)) throw new MethodError('InvalidRequest', 'since is not before now')
    if (buckets > MOST_BUCKETS)
      throw new MethodError('InvalidRequest', `${buckets} buckets are too many: at most ${MOST_BUCKETS} are counted`)
    const { pool } = databaseOf(context)
    const starts = Array.from({ length: buckets + 1 }, (_, index) => new Date(from + index * bucketMs).toISOString())
    const series = await Promise.all(
      tables.map(async ({ collection, table, column }) => {
        const { rows } = await pool.query<{ start: string; rows: number; newest: string | null }>(
          `select start, (select max("${column}") from "${table}") as newest,
             (select count(*) from (
               select from "${table}" where "${column}" >= start and "${column}" < stop limit ${BOUND}
             ) as counted) as rows
           from unnest($1::text[], $2::text[]) as bucket(start, stop) order by start`,
          [starts.slice(0, -1), starts.slice(1)],
        )
        const middle = median(rows.map(({ rows }) => rows))
        const newest = new Date(rows[0]?.newest ?? '')
        return {
          collection,
          ...(!Number.isNaN(newest.getTime()) && { newest: newest.toISOString() }),
          buckets: rows.map(({ start, rows: count }, index) => ({
            start,
            rows: count,
            // The last bucket has only begun.
            isHole: index < rows.length - 1 && middle >= LEAST_ROWS && count < middle * HOLE,
          })),
        }
      }),
    )
    return { bucketSeconds: bucketMs / 1_000, bound: BOUND, series }
  },
})

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
