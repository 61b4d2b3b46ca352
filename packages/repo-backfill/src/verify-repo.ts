import { isGuarded } from '@millrace/failpoints'
import { setImmediate } from 'node:timers/promises'
import { verifySignature } from '@millrace/identity'
import { readCar, readCommit, tidMs, unsignedCommit, walkTree, type Blocks, type Link } from '@millrace/repo-reader'
import { InvalidEventError, isTid } from '@millrace/stream-protocol'
import { InvalidRepoError, type InvalidRepoReason } from './errors.ts'

/** A record of a verified repo. */
export interface RepoRecord {
  collection: string
  rkey: string
  /** As the tree has it, never recomputed (hazard J1). */
  cid: string
  /** Its CBOR, not decoded yet: what it says is its author's affair, and may be invalid. */
  bytes: Uint8Array
}

/** A whole repo whose every part was checked. */
export interface VerifiedRepo {
  did: string
  /** CID of the signed commit. */
  commit: string
  rev: string
  /** CID of the tree's root. */
  data: string
  /** In the order of the tree: by collection, then record key. */
  records: RepoRecord[]
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
/** Blocks after which others get their turn: a large repo takes seconds. */
const TURN = 500

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
 * Record blocks are taken as bytes: whether they are valid records is seen when they are converted.
 * @throws {InvalidRepoError}
 */
export async function verifyRepo(
  bytes: Uint8Array,
  { did, signingKey, now = Date.now() }: VerifyRepoOptions,
): Promise<VerifiedRepo> {
  const fail = (reason: InvalidRepoReason, message: string, cause?: unknown): never => {
    throw new InvalidRepoError(reason, did, message, { cause })
  }
  try {
    const { root, blocks } = readCar(bytes, { hashes: 'used' })
    const block = blockOf(blocks, root)
    const { rev, data, sig, did: signedDid } = readCommit(block)
    if (signedDid !== did) return fail('wrong-did', 'the commit is of another account')
    if (!isTid(rev)) return fail('bad-rev', 'the revision is not a TID')
    if (tidMs(rev) > now + MAX_AHEAD_MS) return fail('future-rev', `revision ${rev} lies in the future`)
    if (isGuarded('repo-signature') && !(await verifySignature(signingKey, unsignedCommit(block), sig)))
      fail('bad-signature', `revision ${rev} is not signed by ${signingKey}`)
    return { did, commit: root.toString(), rev, data: data.toString(), records: await readRecords(blocks, data) }
  } catch (error) {
    if (error instanceof InvalidEventError) return fail(reasons.get(error.reason) ?? 'bad-block', error.message, error)
    throw error
  }
}

function blockOf(blocks: Blocks, link: Link): Buffer {
  const block = blocks.get(link.key)
  if (!block) throw new InvalidEventError('missing-blocks', `block ${link} is missing`)
  return block
}

async function readRecords(blocks: Blocks, data: Link): Promise<RepoRecord[]> {
  const records: RepoRecord[] = []
  for (const { collection, rkey, link } of walkTree(blocks, data)) {
    records.push({ collection, rkey, cid: link.toString(), bytes: blockOf(blocks, link) })
    if (records.length % TURN === 0) await setImmediate()
  }
  return records
}
