import { once } from 'node:events'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { packChecks, type SignatureCheck } from './signature-check.ts'
import { verifyPacked } from './verify-packed.ts'

export interface SignaturePoolOptions {
  /** Threads that check signatures and do nothing else. 0: they are checked where they are asked for. @default 1 */
  threads?: number
}

interface Question {
  resolve: (holds: Uint8Array) => void
  reject: (error: Error) => void
}

/** A thread, with what it was asked and has not answered. It answers in order. */
interface Member {
  worker: Worker
  questions: Question[]
  /** Set once it is no more. */
  error?: Error
}

/** Checks signatures in threads of their own, each many at a time. */
export class SignaturePool implements AsyncDisposable {
  readonly #members: Member[]
  #closed = false

  constructor({ threads = 1 }: SignaturePoolOptions = {}) {
    this.#members = Array.from({ length: threads }, () => this.#start())
  }

  /** For each check, in order, 1 if the signature holds and 0 if it does not. */
  async verify(checks: readonly SignatureCheck[]): Promise<Uint8Array> {
    const packed = packChecks(checks)
    const [first, ...others] = this.#members
    if (!first) return verifyPacked(packed)
    const member = others.reduce(
      (least, other) => (other.questions.length < least.questions.length ? other : least),
      first,
    )
    if (member.error !== undefined) throw member.error
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    member.questions.push({ resolve, reject })
    member.worker.postMessage(packed, [packed.content.buffer])
    return await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()))
  }

  #start(): Member {
    const extension = path.extname(import.meta.filename)
    const execArgv = extension === '.ts' ? ['--conditions=@millrace/source'] : []
    const worker = new Worker(path.join(import.meta.dirname, `signature-worker${extension}`), { execArgv })
    const member: Member = { worker, questions: [] }
    worker.on('message', (holds: Uint8Array) => member.questions.shift()?.resolve(holds))
    worker.on('error', (error: Error) => fail(member, error))
    void once(worker, 'exit').then(() => {
      if (!this.#closed) fail(member, new Error('a thread that checks signatures has ended'))
    })
    return member
  }
}

function fail(member: Member, error: Error): void {
  member.error ??= error
  for (const { reject } of member.questions.splice(0)) reject(error)
}
