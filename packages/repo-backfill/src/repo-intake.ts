import { CarSegments, Slab } from '@millrace/repo-reader'
import type { RepoReceiver } from './fetch-repo.ts'
import { LocalRepo } from './local-repo.ts'
import type { OpenedRepo } from './opened-repo.ts'
import type { RemoteRepo, RepoWorkers } from './repo-workers.ts'

/** A repo that takes less time than telling another thread of it: about a hundred records. */
const SMALL_BYTES = 48 * 1024

/**
 * Takes one repo as it arrives. A large one goes to a worker segment by segment, which reads it meanwhile; a small one
 * stays here.
 */
export class RepoIntake implements RepoReceiver, Disposable {
  readonly #workers: RepoWorkers | undefined
  #segments: CarSegments | undefined
  #expectedBytes: number | undefined
  readonly #slab = new Slab()
  #remote: RemoteRepo | undefined
  /** Its worker has to catch up. */
  #behind: Promise<void> | undefined

  constructor(workers?: RepoWorkers) {
    this.#workers = workers
  }

  expect(bytes: number): void {
    this.#expectedBytes = bytes
  }

  /** @returns when no more should be written for a while: a promise for its end. @throws {BrokenRuleError} */
  write(part: Uint8Array): Promise<void> | undefined {
    this.#behind = undefined
    this.#cutter().write(part)
    return this.#behind
  }

  /** The repo is there. @throws {BrokenRuleError} */
  async end(): Promise<OpenedRepo> {
    this.#cutter().end()
    const remote = this.#remote
    if (!remote) return new LocalRepo(this.#slab)
    await remote.open()
    this.#remote = undefined
    return remote
  }

  /** Gives up what is on its way. A repo that has ended is not touched. */
  [Symbol.dispose](): void {
    this.#remote?.[Symbol.dispose]()
  }

  #cutter(): CarSegments {
    return (this.#segments ??= new CarSegments({
      onSegment: (segment) => this.#take(segment),
      expectedBytes: this.#expectedBytes,
    }))
  }

  #take(segment: Buffer<ArrayBuffer>): void {
    if (!this.#remote && segment.length > SMALL_BYTES) this.#remote = this.#workers?.remoteRepo()
    if (this.#remote) this.#behind = this.#remote.add(segment)
    else this.#slab.add(segment)
  }
}
