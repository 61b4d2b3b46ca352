import type { VerifyRepoOutput } from '@millrace/admin-api'
import { TemporaryIdentityError } from '@millrace/identity'
import { auditRepo, type RepoPlace } from '@millrace/repair'
import { HostBusyError, InvalidRepoError, TemporaryFetchError } from '@millrace/repo-backfill'
import { databaseOf, defineMethod, MethodError, type MethodContext } from './method.ts'

/** A repo is held in memory while it is compared. */
const MOST_AT_ONCE = 2
const LIMITS = { maxBytes: 256 * 1024 * 1024, timeoutMs: 50_000 }
const MOST_EXAMPLES = 20

let atWork = 0

export const verifyRepo = defineMethod({
  name: 'verifyRepo',
  role: 'viewer',
  run: async ({ did }, context) => {
    if (atWork >= MOST_AT_ONCE)
      throw new MethodError('Busy', `${MOST_AT_ONCE} repos are being compared: ask again in a while`, { status: 503 })
    atWork++
    try {
      return await compare(did, context)
    } finally {
      atWork--
    }
  },
})

async function compare(did: string, context: MethodContext): Promise<VerifyRepoOutput> {
  const { resolver, fetch } = context.sources
  const nothing = { did, missing: 0, stale: 0, extra: 0, examples: [] }
  try {
    const result = await auditRepo(did, {
      database: databaseOf(context),
      resolver,
      fetch,
      limits: LIMITS,
      ...(context.signal && { signal: context.signal }),
    })
    if (result.kind === 'gone') return { ...nothing, result: 'gone' }
    const { kind, there, here, missing, stale, extra } = result
    return {
      did,
      result: kind,
      there: placeOf(there),
      ...(here && { here: placeOf(here) }),
      missing: missing.length,
      stale: stale.length,
      extra: extra.length,
      examples: [...missing, ...stale, ...extra].slice(0, MOST_EXAMPLES),
      ...(kind === 'diverged' && { command: `millrace resync ${did} --reindex` }),
      ...(kind === 'moved' && { command: `millrace trace ${did}` }),
    }
  } catch (error) {
    if (error instanceof InvalidRepoError) return { ...nothing, result: 'invalid', detail: error.message }
    if (
      error instanceof TemporaryFetchError ||
      error instanceof TemporaryIdentityError ||
      error instanceof HostBusyError
    )
      throw new MethodError('HostAway', `the repo of ${did} cannot be had now`, { status: 503, cause: error })
    throw error
  }
}

function placeOf({ rev, data }: RepoPlace): { rev: string; root?: string } {
  return { rev, ...(data !== null && { root: data }) }
}
