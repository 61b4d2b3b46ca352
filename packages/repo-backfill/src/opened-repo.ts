import type { Link } from '@millrace/repo-reader'
import type { EntryChunk } from './entry-chunk.ts'
import type { RepoHead, RunOptions } from './repo-entries.ts'

/** A repo that came in whole, wherever its bytes are now. Nothing that it says is believed yet. */
export interface OpenedRepo extends Disposable {
  /** Of the CAR file. */
  readonly bytes: number
  /** CID of the signed commit. */
  readonly root: Link
  readonly commit: Uint8Array
  /**
   * Goes through the whole tree and looks at every block of it. @returns how many records there are.
   * @throws {BrokenRuleError}
   */
  checkTree(data: Link): Promise<number>
  /** The entries of a repo whose tree was checked. */
  entries(data: Link, head: RepoHead, options: RunOptions): AsyncIterable<EntryChunk>
}
