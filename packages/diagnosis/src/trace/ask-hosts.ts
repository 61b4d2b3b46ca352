import {
  BlockedHostError,
  isTemporaryStatus,
  NetworkError,
  readXrpcError,
  ResponseLimitError,
  TemporaryIdentityError,
  type DidResolver,
  type GuardedFetch,
} from '@millrace/identity'
import { isObject, type JsonObject } from '@millrace/stream-protocol'
import { answerOf, type Answer } from '../answer.ts'
import type { HostFacts, IdentityFacts, PdsRecord } from './facts.ts'
import type { Subject } from './subject.ts'

export interface AskHostsOptions {
  resolver: Pick<DidResolver, 'resolve'>
  /** Made by `createGuardedFetch`: a PDS is named by a stranger. */
  fetch: GuardedFetch
  signal?: AbortSignal | undefined
}

/** Somebody waits for the answer. */
const LIMITS = { headersMs: 5_000, idleMs: 5_000, timeoutMs: 8_000, maxBytes: 2_000_000 }

/** A host answered what it should not have. */
class OddAnswerError extends Error {
  override readonly name = 'OddAnswerError'
}

export async function askIdentity(did: string, { resolver }: AskHostsOptions): Promise<Answer<IdentityFacts>> {
  return await answerOf(async () => {
    const resolution = await resolver.resolve(did)
    if (resolution.kind === 'absent') return { kind: resolution.tombstoned ? 'tombstoned' : 'absent' }
    const { handle, pds } = resolution.identity
    return { kind: 'found', handle, pds }
  }, explainHost)
}

/** Asks the PDS of the account how it stands, and for the record if the subject is one. */
export async function askPds(
  subject: Subject,
  identity: Answer<IdentityFacts>,
  options: AskHostsOptions,
): Promise<Answer<HostFacts & { record?: PdsRecord | undefined }>> {
  if (!identity.ok) return { ok: false, why: 'the account cannot be looked up' }
  const { pds } = identity.value
  if (pds === undefined) return { ok: false, why: 'the account has none' }
  return await answerOf(async () => {
    const [account, record] = await Promise.all([
      askAccount(pds, subject.did, options),
      subject.record && askRecord(pds, subject.did, subject.record, options),
    ])
    return { ...account, ...(record && { record }) }
  }, explainHost)
}

/** Asks a relay how it knows the account. */
export async function askRelay(url: string, did: string, options: AskHostsOptions): Promise<Answer<HostFacts>> {
  return await answerOf(() => askAccount(url, did, options), explainHost)
}

async function askAccount(host: string, did: string, options: AskHostsOptions): Promise<HostFacts> {
  const { status, body, error } = await get(host, 'com.atproto.sync.getRepoStatus', { did }, options)
  if (status === 200 && typeof body['active'] === 'boolean')
    return {
      isKnown: true,
      active: body['active'],
      ...(typeof body['rev'] === 'string' && { rev: body['rev'] }),
      ...(typeof body['status'] === 'string' && { status: body['status'] }),
    }
  const inactive = inactiveErrors[error]
  if (inactive !== undefined) return { isKnown: true, active: false, status: inactive }
  if (error === 'RepoNotFound') return { isKnown: false, active: false }
  throw new OddAnswerError(`it answers ${status}${error === '' ? '' : ` ${error}`}`)
}

/** How older hosts say why an account is not to be seen. */
const inactiveErrors: Readonly<Record<string, string | undefined>> = {
  RepoDeactivated: 'deactivated',
  RepoSuspended: 'suspended',
  RepoTakendown: 'takendown',
}

async function askRecord(
  host: string,
  repo: string,
  { collection, rkey }: { collection: string; rkey: string },
  options: AskHostsOptions,
): Promise<PdsRecord> {
  const { status, body, error } = await get(host, 'com.atproto.repo.getRecord', { repo, collection, rkey }, options)
  if (status === 200 && typeof body['cid'] === 'string') return { cid: body['cid'] }
  // Some say only that the request is bad.
  if (status === 404 || status === 400) return { cid: null }
  throw new OddAnswerError(`it answers ${status}${error === '' ? '' : ` ${error}`}`)
}

async function get(
  host: string,
  method: string,
  query: Record<string, string>,
  { fetch, signal }: AskHostsOptions,
): Promise<{ status: number; body: JsonObject; error: string }> {
  const url = new URL(`/xrpc/${method}`, host)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  const response = await fetch(url, {
    limits: LIMITS,
    headers: { accept: 'application/json' },
    ...(signal && { signal }),
  })
  const { status } = response
  if (status === 200) {
    const body: unknown = await response.json().catch(() => undefined)
    return { status, body: isObject(body) ? body : {}, error: '' }
  }
  const error = (await readXrpcError(response)).slice(0, 60)
  if (isTemporaryStatus(status)) throw new OddAnswerError(`it answers ${status}${error === '' ? '' : ` ${error}`}`)
  return { status, body: {}, error }
}

/** What people may be told of a failed question: nothing of our own machine (hazard M8). */
function explainHost(error: unknown): string {
  if (error instanceof OddAnswerError) return error.message
  if (error instanceof NetworkError) return `no answer (${error.code})`
  if (error instanceof BlockedHostError) return 'its address is not one that is asked (private, or not https)'
  if (error instanceof ResponseLimitError) return 'its answer is too large'
  if (error instanceof TemporaryIdentityError) return `${error.host} does not answer now`
  return 'the question failed'
}
