import { hash } from 'node:crypto'

/**
 * What our advisory locks are about. All are transaction-scoped (`pg_advisory_xact_lock`): a session lock taken on a
 * pooled connection would stay with whoever gets the connection next (hazard X20).
 *
 * A key is 64 bits: `0x4d`, the namespace's byte below, then 48 bits of the SHA-256 of a text. Two texts that share a
 * key wait for each other now and then; nothing depends on their being different.
 */
export const lockNamespaces = {
  /** Changing the schema. One text, `schema`, for the whole database, as extensions are shared by its schemas. */
  migration: 1,
  /** Applying to one repo; the text is its DID. */
  repo: 2,
  /** Giving a handle to an account; the text is the handle. */
  handle: 3,
  /** One of several processes doing a job that must run once; the text is the name of the job. */
  job: 4,
} as const

/** What a lock is about. Texts of different namespaces never wait for each other. */
export type LockNamespace = keyof typeof lockNamespaces

const prefix = 0x4dn << 56n

/** The key to lock, always positive. `pg` sends a bigint as text, which Postgres reads as `bigint`. */
export function lockKey(namespace: LockNamespace, text: string): bigint {
  const digest = hash('sha256', text, 'buffer')
  return prefix | (BigInt(lockNamespaces[namespace]) << 48n) | BigInt(digest.readUIntBE(0, 6))
}
