import type { Random } from './random.ts'

/** A record that others may refer to. */
export interface KnownRecord {
  uri: string
  cid: string
  did: string
  collection: string
  rkey: string
  record: { [key: string]: unknown }
}

export interface KnownAccount {
  did: string
  handle: string
  index: number
  isLabeler: boolean
}

/** What is in the network now, so that new records refer to old ones. */
export class World {
  readonly accounts: KnownAccount[] = []
  readonly #pools = new Map<string, Pool>()
  readonly #relations = new Map<string, number>()

  add(record: KnownRecord): void {
    for (const key of poolsOf(record)) {
      let pool = this.#pools.get(key)
      if (!pool) this.#pools.set(key, (pool = new Pool()))
      pool.set(record)
    }
    this.#relate(record, 1)
  }

  remove(record: KnownRecord): void {
    for (const key of poolsOf(record)) this.#pools.get(key)?.delete(record.uri)
    this.#relate(record, -1)
  }

  get(uri: string): KnownRecord | undefined {
    return this.#pools.get('')?.get(uri)
  }

  /** Records of one collection, of one account when it is given. */
  of(collection: string, did = ''): readonly KnownRecord[] {
    return this.#pools.get(`${did} ${collection}`)?.items ?? []
  }

  /** All records of an account. */
  by(did: string): readonly KnownRecord[] {
    return this.#pools.get(did)?.items ?? []
  }

  /** True when the account likes, reposts, follows or blocks this already. */
  has(did: string, collection: string, subject: string): boolean {
    return (this.#relations.get(`${did} ${collection} ${subject}`) ?? 0) > 0
  }

  someone(random: Random, but?: string): KnownAccount | undefined {
    const found = random.pickPopular(this.accounts)
    return found?.did === but ? random.pick(this.accounts.filter(({ did }) => did !== but)) : found
  }

  #relate({ did, collection, record }: KnownRecord, change: number): void {
    const subject = subjectOf(record)
    if (subject === undefined) return
    const key = `${did} ${collection} ${subject}`
    this.#relations.set(key, (this.#relations.get(key) ?? 0) + change)
  }
}

function subjectOf({ subject, list }: KnownRecord['record']): string | undefined {
  if (typeof subject === 'string') return typeof list === 'string' ? `${list} ${subject}` : subject
  return (subject as { uri?: string } | undefined)?.uri
}

function poolsOf({ did, collection }: KnownRecord): string[] {
  return ['', did, ` ${collection}`, `${did} ${collection}`]
}

/** Records to pick from, by position and by URI. */
class Pool {
  readonly items: KnownRecord[] = []
  readonly #positions = new Map<string, number>()

  get(uri: string): KnownRecord | undefined {
    const position = this.#positions.get(uri)
    return position === undefined ? undefined : this.items[position]
  }

  set(record: KnownRecord): void {
    const position = this.#positions.get(record.uri) ?? this.items.length
    this.#positions.set(record.uri, position)
    this.items[position] = record
  }

  delete(uri: string): void {
    const position = this.#positions.get(uri)
    if (position === undefined) return
    this.#positions.delete(uri)
    const last = this.items.pop() as KnownRecord
    if (last.uri === uri) return
    this.items[position] = last
    this.#positions.set(last.uri, position)
  }
}
