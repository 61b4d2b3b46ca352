import type { Rule } from '@millrace/repo-reader'
import type { EntryChunk } from './entry-chunk.ts'
import type { RepoHead, RunOptions } from './repo-entries.ts'

/** What a worker is asked, in the order in which it is answered. CIDs travel as their bytes. */
export interface WorkerCalls {
  /** The next segment of the file. What is wrong with it is told when the repo is opened. */
  add: { ask: { segment: Uint8Array<ArrayBuffer> }; answer: undefined }
  /** All of the file was sent. */
  open: { ask: object; answer: { root: Uint8Array; commit: Uint8Array } }
  checkTree: { ask: { data: Uint8Array }; answer: number }
  /** The first chunk, then one after the other; undefined at the end. */
  entries: { ask: { data: Uint8Array; head: RepoHead; options: RunOptions }; answer: EntryChunk | undefined }
  nextEntries: { ask: object; answer: EntryChunk | undefined }
}

export type CallName = keyof WorkerCalls

export type AnyCall = { [N in CallName]: { type: N; call: number } & WorkerCalls[N]['ask'] }[CallName]

/** To a worker, about one of the repos that it has. Only calls are answered. */
export type ToWorker = { repo: number } & ({ type: 'close' } | AnyCall)

/** From a worker. A rule that was broken keeps its name; another error is a fault of ours. */
export type FromWorker =
  | { call: number; answer: WorkerCalls[CallName]['answer'] }
  | { call: number; broken: { rule: Rule; message: string } }
  | { call: number; error: unknown }
