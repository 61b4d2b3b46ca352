import { recordUri, type CreateEvent, type RecordEvent, type UpdateEvent } from '@millrace/stream-protocol'
import type { QueryConfig } from 'pg'

type Cell = string | number | null | undefined
type Row = Cell[]
type Counts = [number, number, number]

interface Ref {
  uri: string
  cid: string
}
interface PostRecord {
  text: string
  createdAt: string
  langs?: string[]
  reply?: { root: Ref; parent: Ref }
}
interface SubjectRecord<Subject> {
  subject: Subject
  createdAt: string
}

/** The rows of a batch as columns of arrays, with the counts that they add. Made for the workload's records alone. */
export class BareRows {
  readonly #record: Row[] = []
  readonly #like: Row[] = []
  readonly #post: Row[] = []
  readonly #repost: Row[] = []
  readonly #follow: Row[] = []
  readonly #feedItem: Row[] = []
  readonly #notification: Row[] = []
  readonly #deleted: string[] = []
  readonly #head = new Map<string, Row>()
  /** Likes, replies, reposts. */
  readonly #postCounts = new Map<string, Counts>()
  /** Followers, follows, posts. */
  readonly #profileCounts = new Map<string, Counts>()

  add(event: RecordEvent): void {
    this.#head.set(event.did, [event.did, event.commit, event.rev])
    const uri = recordUri(event)
    if (event.type === 'delete') {
      this.#deleted.push(uri)
      return
    }
    this.#record.push([uri, event.cid, event.did, JSON.stringify(event.record), event.time])
    this.#addRecord(uri, event)
  }

  #addRecord(uri: string, event: CreateEvent | UpdateEvent): void {
    const { cid, did, time } = event
    switch (event.collection) {
      case 'app.bsky.feed.like': {
        const { subject, createdAt } = event.record as unknown as SubjectRecord<Ref>
        this.#like.push([uri, cid, did, subject.uri, subject.cid, createdAt, time])
        this.#countOfPost(subject.uri)[0]++
        this.#notify(hostOf(subject.uri), uri, event, 'like', subject.uri)
        break
      }
      case 'app.bsky.feed.repost': {
        const { subject, createdAt } = event.record as unknown as SubjectRecord<Ref>
        this.#repost.push([uri, cid, did, subject.uri, subject.cid, createdAt, time])
        this.#feedItem.push([uri, cid, 'repost', subject.uri, did, time])
        this.#countOfPost(subject.uri)[2]++
        this.#notify(hostOf(subject.uri), uri, event, 'repost', subject.uri)
        break
      }
      case 'app.bsky.feed.post': {
        const { text, createdAt, langs, reply } = event.record as unknown as PostRecord
        const { root, parent } = reply ?? {}
        const refs = [root?.uri, root?.cid, parent?.uri, parent?.cid]
        this.#post.push([uri, cid, did, text, ...refs, createdAt, time, langs && JSON.stringify(langs)])
        this.#feedItem.push([uri, cid, 'post', uri, did, time])
        this.#countOfProfile(did)[2]++
        if (!parent) break
        this.#countOfPost(parent.uri)[1]++
        this.#notify(hostOf(parent.uri), uri, event, 'reply', parent.uri)
        break
      }
      case 'app.bsky.graph.follow': {
        const { subject, createdAt } = event.record as unknown as SubjectRecord<string>
        this.#follow.push([uri, cid, did, subject, createdAt, time])
        this.#countOfProfile(subject)[0]++
        this.#countOfProfile(did)[1]++
        this.#notify(subject, uri, event, 'follow', null)
        break
      }
    }
  }

  #notify(did: string | undefined, uri: string, event: CreateEvent | UpdateEvent, reason: string, subject: Cell): void {
    this.#notification.push([did, uri, event.cid, event.did, reason, subject, event.time])
  }

  #countOfPost(uri: string): Counts {
    return getOrAdd(this.#postCounts, uri)
  }

  #countOfProfile(did: string): Counts {
    return getOrAdd(this.#profileCounts, did)
  }

  statements(): QueryConfig[] {
    return [
      insert('record', 'uri cid did json indexedAt', this.#record),
      insert('like', 'uri cid creator subject subjectCid createdAt indexedAt', this.#like),
      insert(
        'post',
        'uri cid creator text replyRoot replyRootCid replyParent replyParentCid createdAt indexedAt langs:jsonb',
        this.#post,
      ),
      insert('repost', 'uri cid creator subject subjectCid createdAt indexedAt', this.#repost),
      insert('follow', 'uri cid creator subjectDid createdAt indexedAt', this.#follow),
      insert('feed_item', 'uri cid type postUri originatorDid sortAt', this.#feedItem),
      insert('notification', 'did recordUri recordCid author reason reasonSubject sortAt', this.#notification),
      remove('like', 'uri', this.#deleted),
      remove('record', 'uri', this.#deleted),
      remove('notification', 'recordUri', this.#deleted),
      addCounts('post_agg', 'uri', ['likeCount', 'replyCount', 'repostCount'], this.#postCounts),
      addCounts('profile_agg', 'did', ['followersCount', 'followsCount', 'postsCount'], this.#profileCounts),
      insert(
        'actor_sync',
        'did commitCid repoRev',
        inOrder([...this.#head.values()]),
        `(did) do update set "commitCid" = excluded."commitCid", "repoRev" = excluded."repoRev"
          where actor_sync."repoRev" < excluded."repoRev"`,
      ),
    ].filter((statement) => statement !== undefined)
  }
}

function getOrAdd(counts: Map<string, Counts>, key: string): Counts {
  let found = counts.get(key)
  if (!found) counts.set(key, (found = [0, 0, 0]))
  return found
}

function hostOf(uri: string): string | undefined {
  return uri.split('/')[2]
}

function insert(table: string, columnText: string, rows: Row[], conflict = 'do nothing'): QueryConfig | undefined {
  if (rows.length === 0) return undefined
  const columns = columnText.split(' ').map((column) => column.split(':'))
  const names = columns.map(([name]) => `"${name}"`).join(', ')
  const arrays = columns.map(([, type = 'text'], index) => `$${index + 1}::${type}[]`).join(', ')
  return {
    name: `insert ${table}`,
    text: `insert into "${table}" (${names}) select * from unnest(${arrays}) on conflict ${conflict}`,
    values: columns.map((_, index) => rows.map((row) => row[index] ?? null)),
  }
}

function addCounts(
  table: string,
  key: string,
  columns: string[],
  counts: ReadonlyMap<string, readonly number[]>,
): QueryConfig | undefined {
  const sums = columns.map((column) => `"${column}" = ${table}."${column}" + excluded."${column}"`)
  const typed = columns.map((column) => `${column}:bigint`)
  const rows = [...counts].map(([name, values]) => [name, ...values])
  return insert(table, [key, ...typed].join(' '), inOrder(rows), `(${key}) do update set ${sums.join(', ')}`)
}

/** One order of locks, as real writers have to keep. */
function inOrder(rows: Row[]): Row[] {
  return rows.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}

function remove(table: string, column: string, uris: string[]): QueryConfig | undefined {
  if (uris.length === 0) return undefined
  return { name: `delete ${table}`, text: `delete from "${table}" where "${column}" = any($1)`, values: [uris] }
}
