import { setImmediate } from 'node:timers/promises'
import { verifySignature } from '@atproto/crypto'
import { encode, type LexValue } from '@atproto/lex-cbor'
import { ifCid, type Cid } from '@atproto/lex-data'
import { isTid } from '@millrace/stream-protocol'
import { Car, CarError } from './car.ts'
import { InvalidRepoError, type InvalidRepoReason } from './errors.ts'
import { TreeError, walkTree } from './walk-tree.ts'

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
    const car = Car.read(bytes)
    const commit = car.map(car.root)
    const { version, rev } = commit
    const data = ifCid(commit['data'])
    if (version !== 3 || !data) return fail('bad-commit', 'the commit is not one of version 3')
    if (commit['did'] !== did) return fail('wrong-did', 'the commit is of another account')
    if (!isTid(rev)) return fail('bad-rev', 'the revision is not a TID')
    if (timeOfTid(rev) > now + MAX_AHEAD_MS) return fail('future-rev', `revision ${rev} lies in the future`)
    if (!(await isSignedBy(signingKey, commit))) fail('bad-signature', `revision ${rev} is not signed by ${signingKey}`)
    return { did, commit: car.root.toString(), rev, data: data.toString(), records: await readRecords(car, data) }
  } catch (error) {
    if (error instanceof CarError) return fail(error.reason, error.message, error.cause)
    if (error instanceof TreeError) return fail('bad-tree', error.message)
    throw error
  }
}

async function readRecords(car: Car, data: Cid): Promise<RepoRecord[]> {
  const records: RepoRecord[] = []
  for (const { collection, rkey, cid } of walkTree(car, data)) {
    records.push({ collection, rkey, cid: cid.toString(), bytes: car.block(cid) })
    if (records.length % TURN === 0) await setImmediate()
  }
  return records
}

/** The library refuses high-S and DER signatures unless told otherwise. */
async function isSignedBy(signingKey: string, { sig, ...unsigned }: { [key: string]: LexValue }): Promise<boolean> {
  if (!(sig instanceof Uint8Array)) return false
  try {
    return await verifySignature(signingKey, encode(unsigned), sig)
  } catch {
    // It throws for bytes that are no signature at all.
    return false
  }
}

const tidAlphabet = '234567abcdefghijklmnopqrstuvwxyz'

/** Milliseconds since 1970: a TID counts microseconds in its first eleven characters. */
function timeOfTid(tid: string): number {
  let micros = 0
  for (const character of tid.slice(0, 11)) micros = micros * 32 + tidAlphabet.indexOf(character)
  return micros / 1000
}
