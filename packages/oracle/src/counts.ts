import type { Row } from './tables.ts'

/** Counts are what counting the rows gives (hazards A1 to A4). */
export function countRows(rows: (table: string) => readonly Row[]): { post_agg: Row[]; profile_agg: Row[] } {
  const posts = new Counter('uri')
  const profiles = new Counter('did')
  for (const row of rows('like')) posts.add('likeCount', row['subject'])
  for (const row of rows('repost')) posts.add('repostCount', row['subject'])
  for (const row of rows('quote')) posts.add('quoteCount', row['subject'])
  for (const row of rows('post')) {
    profiles.add('postsCount', row['creator'])
    if (row['violatesThreadGate'] !== true) posts.add('replyCount', row['replyParent'])
  }
  for (const row of rows('follow')) {
    profiles.add('followersCount', row['subjectDid'])
    profiles.add('followsCount', row['creator'])
  }
  return {
    post_agg: posts.rows('likeCount', 'repostCount', 'quoteCount', 'replyCount'),
    profile_agg: profiles.rows('postsCount', 'followersCount', 'followsCount'),
  }
}

class Counter {
  readonly #key: string
  readonly #counts = new Map<string, Map<string, number>>()

  constructor(key: string) {
    this.#key = key
  }

  add(column: string, subject: unknown): void {
    if (typeof subject !== 'string') return
    const counts = this.#counts.get(subject) ?? new Map<string, number>()
    this.#counts.set(subject, counts.set(column, (counts.get(column) ?? 0) + 1))
  }

  rows(...columns: string[]): Row[] {
    return [...this.#counts].map(([subject, counts]) => ({
      [this.#key]: subject,
      ...Object.fromEntries(columns.map((column) => [column, counts.get(column) ?? 0])),
    }))
  }
}
