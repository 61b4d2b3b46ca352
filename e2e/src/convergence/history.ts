import { cidOf, EVENT_TIME, tidOf } from '@millrace/indexing/testing'
import type { FinalLabel, FinalNetwork, FinalRepo } from '@millrace/oracle'
import {
  recordUri,
  SEQ_BACKFILL,
  type AccountEvent,
  type CreateEvent,
  type LabelEvent,
  type RecordEvent,
  type RecordJson,
  type RepoEvent,
  type StreamEvent,
  type UpdateEvent,
} from '@millrace/stream-protocol'
import { AccountStatuses } from './account-statuses.ts'
import { collections, contentOf, lasting, rkeyOf, type Lookup } from './contents.ts'
import { labelEvent, labelOf } from './labels.ts'
import { accountAt, canGo, keptKey } from './people.ts'
import { isHappening, type RecordKind, type Step } from './step.ts'

/** What is said about a network, in the order in which it happened. */
export type Said = StreamEvent | LabelEvent

export interface History {
  /** What is there before anything else happens. */
  start: StreamEvent[]
  said: Said[]
  /** Where it ends. */
  end: FinalNetwork
  /** When the last version of a record was seen, whichever copy of it came first. */
  seenAt: (uri: string) => string
  /** The whole repo of an account as it is in the end. */
  fetch: (did: string) => StreamEvent[]
}

type Version = CreateEvent | UpdateEvent

/** Our clock in all of this. */
export const NOW = Date.parse(EVENT_TIME) + 1_000
const hosts = ['relay.test', 'other.test'] as const

export function historyOf(steps: readonly Step[]): History {
  const writer = new HistoryWriter()
  for (const { did, kind, record } of lasting)
    writer.put(did, kind, keptKey, { $type: collections[kind], createdAt: EVENT_TIME, ...record })
  const start = writer.said.splice(0) as StreamEvent[]
  for (const step of steps) writer.take(step)
  return writer.end(start)
}

/** Notes what steps do to a network, and what is said about it. */
class HistoryWriter {
  readonly said: Said[] = []
  readonly #live = new Map<string, Version>()
  readonly #versions = new Map<string, RecordJson[]>()
  readonly #revs = new Map<string, string>()
  readonly #statuses = new AccountStatuses()
  #fetches = 0
  readonly #labels: FinalLabel[] = []
  /** Accounts of which two versions of one revision are about: only a later one settles it. */
  readonly #disputed = new Set<string>()
  /** The commit that another operation may still join. */
  #open: RecordEvent[] = []
  #made = 0

  take(step: Step): void {
    const did = accountAt(step.account)
    const before = this.#open
    this.#open = []
    const { kind } = step
    if (!isHappening(kind)) return this.#write(kind, step, did, before)
    switch (kind) {
      case 'snapshot':
        return this.#say(...this.#snapshot(did))
      case 'account':
        return this.#account(step, did)
      case 'listed':
        return this.#listed(step, did)
      case 'identity':
        return this.#say({ type: 'identity', seq: this.#seq(), time: EVENT_TIME, did, host: hosts[0] })
      case 'label':
        return this.#label(step)
      case 'emptyCommit':
        return this.#say(this.#repoEvent(did, this.#nextRev(did)))
      case 'equivocation':
        return this.#equivocate(step, did)
      case 'undo':
        return this.#undo(step, did)
    }
  }

  put(did: string, kind: RecordKind, rkey: string, json: RecordJson): Version {
    return this.#putJson({ did, collection: collections[kind], rkey }, json)
  }

  #putJson({ did, collection, rkey }: Pick<Version, 'did' | 'collection' | 'rkey'>, json: RecordJson): Version {
    const uri = recordUri({ did, collection, rkey })
    const record = JSON.parse(JSON.stringify(json)) as RecordJson
    const cid = cidOf(record)
    const type = this.#live.has(uri) ? 'update' : 'create'
    const event: Version = { ...this.#commit(did), type, collection, rkey, cid, record, time: timeOf(uri, cid) }
    this.#live.set(uri, event)
    const versions = this.#versions.get(uri)
    if (versions) versions.push(record)
    else this.#versions.set(uri, [record])
    this.#say(event)
    return event
  }

  end(start: StreamEvent[]): History {
    for (const did of this.#disputed) this.#say(this.#repoEvent(did, this.#nextRev(did)))
    // What an inactive account does is passed over until it is back (hazard I23): in the end all are back, or gone.
    for (const did of this.#revs.keys()) if (this.#statuses.isHeld(did)) this.#back(did)
    const heardOf = new Set([...start, ...this.said].flatMap((each) => ('did' in each ? [each.did] : [])))
    const end: FinalNetwork = {
      repos: [...this.#revs.keys()].map((did) => this.#repo(did)),
      accounts: [...heardOf].map((did) => ({ did, ...this.#statuses.of(did) })),
      labels: this.#labels,
    }
    const live = new Map(this.#live)
    return {
      start,
      said: this.said,
      end,
      seenAt: (uri) => timeOf(uri, live.get(uri)!.cid),
      fetch: (did) => this.#snapshot(did),
    }
  }

  #write(kind: RecordKind, step: Step, did: string, before: RecordEvent[]): void {
    const collection = collections[kind]
    const rkey = rkeyOf(kind, step.slot)
    const uri = recordUri({ did, collection, rkey })
    const joins =
      step.joins && before[0]?.did === did && !step.missed && before.every((event) => recordUri(event) !== uri)
    if (joins) this.#open = before
    if (step.removes) {
      if (!this.#live.delete(uri)) return
      const event: RecordEvent = { ...this.#commit(did), type: 'delete', collection, rkey }
      this.#say(event)
      this.#join(event)
      return
    }
    const lookup: Lookup = (other) => this.#live.get(other)
    const event = this.put(did, kind, rkey, contentOf(kind, step, uri, lookup))
    if (!step.missed) return this.#join(event)
    // Not heard of, but that something was missed is: the repo has to be fetched.
    this.said.pop()
    this.#open = []
    this.#say({ ...this.#repoEvent(did, event.rev), sync: true })
  }

  #join(event: RecordEvent): void {
    this.#open = [...this.#open, event]
    for (const [op, each] of this.#open.entries()) Object.assign(each, { op, ops: this.#open.length })
  }

  /** A commit of its own, or the one that is open. */
  #commit(did: string): { seq: number; time: string; did: string; rev: string; commit: string; host: string } {
    const rev = this.#open[0]?.rev ?? this.#nextRev(did)
    return { seq: this.#seq(), time: EVENT_TIME, did, rev, commit: cidOf({ did, rev }), host: hosts[0] }
  }

  #snapshot(did: string): StreamEvent[] {
    const rev = this.#revs.get(did)
    if (rev === undefined) return []
    const commit = cidOf({ did, rev })
    const run = `run ${this.#fetches++}`
    const records = [...this.#live.values()]
      .filter((event) => event.did === did)
      .map(({ ops: _ops, ...event }, op): CreateEvent => ({
        ...event,
        type: 'create',
        seq: SEQ_BACKFILL,
        rev,
        commit,
        run,
        op,
      }))
    const data = cidOf({ tree: did, rev })
    return [...records, { ...this.#repoEvent(did, rev), seq: SEQ_BACKFILL, data, run, records: records.length }]
  }

  #repo(did: string): FinalRepo {
    const rev = this.#revs.get(did)!
    const records = [...this.#live]
      .filter(([, event]) => event.did === did)
      .map(([uri, { cid, record }]) => ({ uri, cid, record }))
    return { did, rev, commit: cidOf({ did, rev }), records }
  }

  #account({ variant, slot }: Step, did: string): void {
    // One host speaks of those whom a list of repos may speak of, too.
    const host = canGo(did) ? hosts[slot % 2]! : hosts[0]
    const status = ['active', 'deactivated', canGo(did) ? 'deleted' : 'takendown', undefined][variant % 4]
    const active = status === 'active'
    const event: AccountEvent = { type: 'account', seq: this.#seq(), time: EVENT_TIME, did, host, active }
    if (!active && status !== undefined) event.status = status
    this.#note(event)
  }

  /** What a list of repos says counts until the firehose says something. */
  #listed({ variant }: Step, did: string): void {
    if (canGo(did) || this.#statuses.has(did)) return
    const status = variant % 2 === 1 ? 'suspended' : 'deleted'
    this.#note({
      type: 'account',
      seq: SEQ_BACKFILL,
      time: EVENT_TIME,
      did,
      host: hosts[0],
      active: false,
      status,
    })
  }

  #back(did: string): void {
    for (const host of hosts)
      this.#note({ type: 'account', seq: this.#seq(), time: EVENT_TIME, did, host, active: true })
  }

  #note(event: AccountEvent): void {
    this.#statuses.note(event)
    this.#say(event)
  }

  #label(step: Step): void {
    const label = labelOf(step, this.#seq())
    this.#labels.push(label)
    this.#say(labelEvent(label))
  }

  /** Another content at the revision of a record that is there. */
  #equivocate(step: Step, did: string): void {
    const event = this.#someOf(step, did)
    if (!event) return
    const { variant } = step
    const record = { ...event.record, disputed: variant }
    this.#disputed.add(did)
    const { op: _op, ops: _ops, ...rest } = event
    this.#say({ ...rest, type: 'update', seq: this.#seq(), record, cid: cidOf(record) })
  }

  /** A record is again what it was before. */
  #undo(step: Step, did: string): void {
    const event = this.#someOf(step, did)
    const versions = this.#versions.get(event ? recordUri(event) : '')
    if (event && versions) this.#putJson(event, versions[step.target % versions.length]!)
  }

  #someOf({ variant }: Step, did: string): Version | undefined {
    const own = [...this.#live.values()].filter((event) => event.did === did && event.rkey !== keptKey)
    return own[variant % own.length]
  }

  #repoEvent(did: string, rev: string): RepoEvent {
    const commit = cidOf({ did, rev })
    return { type: 'repo', seq: this.#seq(), time: EVENT_TIME, did, rev, commit, host: hosts[0] }
  }

  #nextRev(did: string): string {
    const rev = tidOf(BigInt(Date.parse(EVENT_TIME)) * 1000n + BigInt(this.#made++))
    this.#revs.set(did, rev)
    return rev
  }

  /** One after the other, whoever counts them. */
  #seq(): number {
    return 1 + this.#made++
  }

  #say(...said: Said[]): void {
    this.said.push(...said)
  }
}

/** The same for every copy of a version, wherever it came from. */
function timeOf(uri: string, cid: string): string {
  const before = Number.parseInt(cidOf([uri, cid]).slice(-4), 36) % 10_000
  return new Date(Date.parse(EVENT_TIME) - before).toISOString()
}
