import { isGuarded } from '@millrace/failpoints'
import { verifySignature } from '@millrace/identity'
import { readCommit, tidMs, unsignedCommit } from '@millrace/repo-reader'
import { InvalidEventError, isTid } from '@millrace/stream-protocol'
import type { EntryChunk } from './entry-chunk.ts'
import { InvalidRepoError, type InvalidRepoReason } from './errors.ts'
import type { OpenedRepo } from './opened-repo.ts'
import type { RepoHead, RunOptions } from './repo-entries.ts'

/** A whole repo whose every part was checked. */
export interface VerifiedRepo extends RepoHead {
  /** How many there are. */
  records: number
  /** What brings it into a database. */
  entries(options: RunOptions): AsyncIterable<EntryChunk>
}

export interface VerifyRepoOptions {
  did: string
  /** The account's `#atproto` key, as `did:key`. */
  signingKey: string
  /** Milliseconds since 1970. @default Date.now() */
  now?: number
}

/** How far the clocks of a PDS and of ours may be apart. */
const MAX_AHEAD_MS = 5 * 60_000
/** What readers find, in the words of a repo. All else that they find is wrong with a block. */
const reasons: ReadonlyMap<string, InvalidRepoReason> = new Map([
  ['bad-car', 'bad-car'],
  ['bad-commit', 'bad-commit'],
  ['bad-mst', 'bad-tree'],
  ['missing-blocks', 'missing-block'],
])

/**
 * Verifies a repo that was exported as a CAR file (hazards B7, B8): the commit is of version 3, of this account, well
 * signed in low-S form and not from the future; the tree holds in every respect; each block that is used has the
 * content that its CID says, and none is missing. So a file that was cut is an error, not a smaller repo.
 *
 * Record blocks are taken as bytes: whether they are valid records is seen when their entries are made.
 * @throws {InvalidRepoError} its cause says which rule is broken.
 */
export async function verifyRepo(
  repo: OpenedRepo,
  { did, signingKey, now = Date.now() }: VerifyRepoOptions,
): Promise<VerifiedRepo> {
  const fail = (reason: InvalidRepoReason, message: string): never => {
    throw new InvalidRepoError(reason, did, message)
  }
  try {
    const { rev, data, sig, did: signedDid } = readCommit(repo.commit)
    if (signedDid !== did) return fail('wrong-did', 'the commit is of another account')
    if (!isTid(rev)) return fail('bad-rev', 'the revision is not a TID')
    if (tidMs(rev) > now + MAX_AHEAD_MS) return fail('future-rev', `revision ${rev} lies in the future`)
    if (isGuarded('repo-signature') && !(await verifySignature(signingKey, unsignedCommit(repo.commit), sig)))
      fail('bad-signature', `revision ${rev} is not signed by ${signingKey}`)
    const head = { did, commit: repo.root.toString(), rev, data: data.toString() }
    const records = await repo.checkTree(data)
    return { ...head, records, entries: (options) => repo.entries(data, head, options) }
  } catch (error) {
    throw invalidRepo(did, error)
  }
}

/** What a reader found, as an error of the repo; anything else as it is. */
export function invalidRepo(did: string, error: unknown): unknown {
  if (!(error instanceof InvalidEventError)) return error
  return new InvalidRepoError(reasons.get(error.reason) ?? 'bad-block', did, error.message, { cause: error })
}
