import { setImmediate } from 'node:timers/promises'
import { Slab, TreeWalk, type Link } from '@millrace/repo-reader'
import type { EntryChunk } from './entry-chunk.ts'
import type { OpenedRepo } from './opened-repo.ts'
import { repoEntries, type RepoHead, type RunOptions } from './repo-entries.ts'

/** Records after which others get their turn: a large repo takes seconds. */
const TURN = 1_000

/** A repo in this thread. */
export class LocalRepo implements OpenedRepo {
  readonly #slab: Slab
  readonly commit: Uint8Array

  /** @throws {BrokenRuleError} when there is no commit. */
  constructor(slab: Slab) {
    this.#slab = slab
    this.commit = slab.get(slab.root) ?? slab.failMissing(slab.root, 'commit')
  }

  /** @throws {BrokenRuleError} */
  static of(car: Uint8Array): LocalRepo {
    return new LocalRepo(Slab.of(car))
  }

  get bytes(): number {
    return this.#slab.bytes
  }

  get root(): Link {
    return this.#slab.root
  }

  async checkTree(data: Link): Promise<number> {
    const tree = new TreeWalk(this.#slab, data)
    let records = 0
    while (tree.next()) if (++records % TURN === 0) await setImmediate()
    return records
  }

  async *entries(data: Link, head: RepoHead, options: RunOptions): AsyncGenerator<EntryChunk, void> {
    yield* repoEntries(this.#slab, data, head, options)
  }

  [Symbol.dispose](): void {
    // Memory goes with the object.
  }
}
