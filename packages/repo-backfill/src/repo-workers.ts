import { availableParallelism } from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { BrokenRuleError, Link } from '@millrace/repo-reader'
import type { EntryChunk } from './entry-chunk.ts'
import type { OpenedRepo } from './opened-repo.ts'
import type { RepoHead, RunOptions } from './repo-entries.ts'
import type { CallName, FromWorker, ToWorker, WorkerCalls } from './worker-messages.ts'

export interface RepoWorkersOptions {
  /** @default one for each core but the one that fetches, and at least one */
  threads?: number
}

/**
 * Threads that read large repos: hash their blocks as they arrive, go through their trees, and write their entries. They
 * start with the first repo that is large. Bytes go there and back without being copied.
 */
export class RepoWorkers implements AsyncDisposable {
  readonly #threads: number
  readonly #running: WorkerThread[] = []

  constructor({ threads = Math.max(1, availableParallelism() - 1) }: RepoWorkersOptions = {}) {
    this.#threads = threads
  }

  /** A repo whose bytes are to come, in the thread that has the fewest. */
  remoteRepo(): RemoteRepo {
    const alive = this.#running.filter(({ isAlive }) => isAlive)
    let chosen = alive.toSorted((a, b) => a.repos - b.repos)[0]
    if (!chosen || (chosen.repos > 0 && alive.length < this.#threads)) {
      chosen = new WorkerThread()
      this.#running.splice(0, Infinity, ...alive, chosen)
    }
    return new RemoteRepo(chosen)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.splice(0).map((thread) => thread.end()))
  }
}

/** One thread, and what it was asked and has not answered. A thread that dies fails what is in it, and nothing else. */
class WorkerThread {
  readonly #worker: Worker
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>()
  #lastCall = 0
  #lastRepo = 0
  #death: Error | undefined
  repos = 0

  constructor() {
    const file = path.join(import.meta.dirname, `repo-worker${path.extname(import.meta.filename)}`)
    this.#worker = new Worker(file)
    this.#worker.on('message', (message: FromWorker) => this.#answered(message))
    this.#worker.on('error', (cause) => this.#died(cause))
    this.#worker.on('exit', (code) => this.#died(new Error(`exit code ${code}`)))
  }

  get isAlive(): boolean {
    return this.#death === undefined
  }

  newRepo(): number {
    this.repos++
    return ++this.#lastRepo
  }

  post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  async ask<N extends CallName>(
    repo: number,
    type: N,
    ask: WorkerCalls[N]['ask'],
    transfer: ArrayBuffer[] = [],
  ): Promise<WorkerCalls[N]['answer']> {
    if (this.#death) throw this.#death
    const call = ++this.#lastCall
    const asked = Promise.withResolvers<unknown>()
    this.#asked.set(call, asked)
    this.post({ ...ask, repo, type, call } as ToWorker, transfer)
    return (await asked.promise) as WorkerCalls[N]['answer']
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #answered(message: FromWorker): void {
    const asked = this.#asked.get(message.call)
    this.#asked.delete(message.call)
    if ('answer' in message) asked?.resolve(message.answer)
    else if ('broken' in message) asked?.reject(new BrokenRuleError(message.broken.rule, message.broken.message))
    else asked?.reject(message.error)
  }

  #died(cause: unknown): void {
    this.#death ??= new Error('the thread that reads large repos has ended', { cause })
    for (const { reject } of this.#asked.values()) reject(this.#death)
    this.#asked.clear()
  }
}

/** Segments of a repo that may wait to be read: until they are, nobody can give their memory back. */
const MOST_UNREAD = 4

/** A repo in a worker. */
export class RemoteRepo implements OpenedRepo {
  readonly #thread: WorkerThread
  readonly #id: number
  #bytes = 0
  /** Segments that the worker has not read yet. */
  #unread = 0
  #opened: { root: Link; commit: Uint8Array } | undefined
  #isDisposed = false

  constructor(thread: WorkerThread) {
    this.#thread = thread
    this.#id = thread.newRepo()
  }

  get bytes(): number {
    return this.#bytes
  }

  get root(): Link {
    return this.#known().root
  }

  get commit(): Uint8Array {
    return this.#known().commit
  }

  /**
   * Sends the next segment, which is the worker's from then on.
   * @returns when there are too many that it has not read: a promise for the time when it has read this one.
   */
  add(segment: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    this.#bytes += segment.byteLength
    this.#unread++
    const read = this.#thread
      .ask(this.#id, 'add', { segment }, [segment.buffer])
      .finally(() => this.#unread--)
      // A thread that has ended is told when the repo is opened.
      .catch(() => undefined)
    return this.#unread > MOST_UNREAD ? read : undefined
  }

  /** All segments were sent. @throws {BrokenRuleError} */
  async open(): Promise<void> {
    const { root, commit } = await this.#thread.ask(this.#id, 'open', {})
    this.#opened = { root: Link.at(root, 0), commit }
  }

  checkTree(data: Link): Promise<number> {
    return this.#thread.ask(this.#id, 'checkTree', { data: data.bytes })
  }

  /** While a chunk is made use of, the next one is written. */
  async *entries(data: Link, head: RepoHead, options: RunOptions): AsyncGenerator<EntryChunk, void> {
    let coming = this.#thread.ask(this.#id, 'entries', { data: data.bytes, head, options: { ...options } })
    for (let chunk = await coming; chunk; chunk = await coming) {
      coming = this.#thread.ask(this.#id, 'nextEntries', {})
      // Whoever stops in between does not wait for it, nor for what is wrong with it.
      coming.catch(() => undefined)
      yield chunk
    }
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#thread.repos--
    this.#thread.post({ repo: this.#id, type: 'close' })
  }

  #known(): { root: Link; commit: Uint8Array } {
    if (!this.#opened) throw new TypeError('the repo is not open')
    return this.#opened
  }
}
