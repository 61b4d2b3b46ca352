import { parentPort, type Transferable } from 'node:worker_threads'
import { BrokenRuleError, Link, Slab, TreeWalk } from '@millrace/repo-reader'
import type { EntryChunk } from './entry-chunk.ts'
import { repoEntries } from './repo-entries.ts'
import type { AnyCall, CallName, FromWorker, ToWorker, WorkerCalls } from './worker-messages.ts'

// A thread that reads large repos: see RepoWorkers.

interface Repo {
  readonly slab: Slab
  /** What was wrong with a segment. It is told when the repo is opened. */
  broken?: Error
  entries?: Generator<EntryChunk, void>
}

const repos = new Map<number, Repo>()

parentPort!.on('message', (message: ToWorker) => {
  const repo = repos.get(message.repo) ?? { slab: new Slab() }
  if (message.type === 'close') {
    repo.slab[Symbol.dispose]()
    repos.delete(message.repo)
  } else {
    if (message.type === 'add') repos.set(message.repo, repo)
    answer(message, repo)
  }
})

function answer(message: AnyCall, repo: Repo): void {
  const { call } = message
  try {
    const answer = answerTo(message, repo)
    reply({ call, answer }, isChunk(answer) ? [answer.bytes.buffer, answer.ends.buffer] : [])
  } catch (error) {
    reply(
      error instanceof BrokenRuleError
        ? { call, broken: { rule: error.rule, message: error.detail } }
        : { call, error },
    )
  }
}

function reply(message: FromWorker, transfer: readonly Transferable[] = []): void {
  parentPort!.postMessage(message, transfer)
}

function add(repo: Repo, { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): void {
  if (repo.broken) return
  try {
    repo.slab.add(Buffer.from(buffer, byteOffset, byteLength))
  } catch (error) {
    repo.broken = error as Error
  }
}

function answerTo(message: AnyCall, repo: Repo): WorkerCalls[CallName]['answer'] {
  const { slab } = repo
  switch (message.type) {
    case 'add':
      add(repo, message.segment)
      return undefined
    case 'open': {
      if (repo.broken) throw repo.broken
      const { root } = slab
      const commit = slab.get(root) ?? slab.failMissing(root, 'commit')
      // Of a part of some memory all of it would be copied.
      return { root: new Uint8Array(root.bytes), commit: new Uint8Array(commit) }
    }
    case 'checkTree': {
      const tree = new TreeWalk(slab, Link.at(message.data, 0))
      let records = 0
      while (tree.next()) records++
      return records
    }
    case 'entries':
      repo.entries = repoEntries(slab, Link.at(message.data, 0), message.head, message.options)
      return next(repo)
    case 'nextEntries':
    default:
      return next(repo)
  }
}

function isChunk(answer: unknown): answer is EntryChunk {
  return typeof answer === 'object' && answer !== null && 'ends' in answer
}

function next({ entries }: Repo): EntryChunk | undefined {
  const step = entries?.next()
  return step?.done === false ? step.value : undefined
}
