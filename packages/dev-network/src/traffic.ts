import type { Account, RecordWrite, WrittenRecord } from './account.ts'
import type { VirtualClock } from './clock.ts'
import { jsonToLex } from './lex-json.ts'
import type { Random } from './random.ts'
import { Author } from './records/index.ts'
import type { Scene } from './records/kind.ts'
import type { World } from './world.ts'

/** Operations in one commit of the history: as many as one write of a client may have, or nearly. */
const historyBatch = 10

/** Makes accounts write: history in large commits, then live operations in small ones. */
export class Traffic {
  readonly #accounts: readonly Account[]
  readonly #world: World
  readonly #random: Random
  readonly #clock: VirtualClock
  readonly #author = new Author()

  constructor(parts: { accounts: readonly Account[]; world: World; random: Random; clock: VirtualClock }) {
    this.#accounts = parts.accounts
    this.#world = parts.world
    this.#random = parts.random
    this.#clock = parts.clock
  }

  /** Every account writes about `perAccount` records, in turns, spread evenly from one time to the other. */
  async writeHistory(perAccount: number, { from, to }: { from: Date; to: Date }): Promise<void> {
    const all = this.#accounts.length * perAccount
    let planned = 0
    for (let written = 0; written < perAccount; written += historyBatch) {
      const size = Math.min(historyBatch, perAccount - written)
      for (const account of this.#accounts) {
        this.#clock.advanceTo(new Date(from.getTime() + ((to.getTime() - from.getTime()) * planned) / all))
        await this.write(account, this.#plan(account, size, written === 0))
        planned += size
      }
    }
  }

  /** One commit of one to four operations, never more than `most`. Gives how many there were. */
  async writeNext(most: number): Promise<number> {
    const active = this.#accounts.filter((account) => account.active)
    const account = this.#random.pickPopular(active)
    if (!account) throw new Error('no active account is left to write')
    const size = Math.min(most, this.#random.chance(0.1) ? 2 + this.#random.below(3) : 1)
    const writes = this.#plan(account, size, false)
    await this.write(account, writes)
    return writes.length
  }

  /** Commits, and remembers what is there now. */
  async write(
    account: Account,
    writes: readonly RecordWrite[],
    frame?: Parameters<Account['applyWrites']>[1],
  ): Promise<WrittenRecord[]> {
    const written = await account.applyWrites(writes, frame)
    for (const [index, { uri, cid, collection, rkey }] of written.entries()) {
      const before = this.#world.get(uri)
      if (before) this.#world.remove(before)
      const write = writes[index] as RecordWrite
      if (cid && 'record' in write && !(write.record instanceof Uint8Array)) {
        const record = jsonToLex(write.record)
        this.#world.add({ uri, cid: cid.toString(), did: account.did, collection, rkey, record })
      }
    }
    return written
  }

  /** Writes for one commit: no path twice, nothing that refers to another one of them. */
  #plan(account: Account, size: number, first: boolean): RecordWrite[] {
    const scene: Scene = {
      account: { did: account.did, handle: account.handle, index: account.index, isLabeler: account.isLabeler },
      world: this.#world,
      random: this.#random,
      createdAt: () => this.#createdAt(),
      tid: () => this.#clock.tid(account.index % 1024),
    }
    const share = first ? { updates: 0, deletes: 0 } : { updates: 0.04, deletes: 0.08 }
    const writes = new Map<string, RecordWrite>()
    const relations = new Set<string>()
    const opening = first ? this.#author.opening(scene) : []
    while (writes.size < size) {
      this.#clock.advance(1)
      const write = opening.shift() ?? this.#author.next(scene, share)
      const path = `${write.collection}/${write.rkey}`
      const subject = JSON.stringify('record' in write && (write.record as { subject?: unknown }).subject)
      const relation = `${write.collection} ${subject}`
      if (writes.has(path) || (subject && relations.has(relation))) continue
      relations.add(relation)
      writes.set(path, write)
    }
    return [...writes.values()]
  }

  /** Mostly as today's clients write it, and now and then in one of the other forms that are valid. */
  #createdAt(): string {
    const time = this.#clock.iso()
    const chance = this.#random.fraction()
    if (chance < 0.02) return time.replace(/\.\d+Z$/, 'Z')
    if (chance < 0.04) return time.replace('Z', '123Z')
    if (chance < 0.06) return time.replace('Z', '+02:00')
    return time
  }
}
