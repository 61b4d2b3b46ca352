import { readUpstreams, type Database } from '@millrace/database'
import type { DidResolver, GuardedFetch, HandleResolver } from '@millrace/identity'
import { hostWithoutScheme, silentLogger, streams, type Logger, type StreamStore } from '@millrace/stream-protocol'
import { answerOf, valueOf, type Answer } from '../answer.ts'
import { askIdentity, askPds, askRelay } from './ask-hosts.ts'
import type { TraceFacts } from './facts.ts'
import { findInStreams } from './find-in-streams.ts'
import { judgeTrace } from './judge-trace.ts'
import { readStored } from './read-stored.ts'
import { readSubject, subjectOf, type Subject, type SubjectInput } from './subject.ts'
import { traceSteps } from './trace-steps.ts'
import type { Trace } from './trace.ts'

/** Where a trace looks. */
export interface TraceSources {
  /** Undefined when it is not there: that is told, and the rest is looked at. */
  store: Pick<StreamStore, 'status' | 'read' | 'pending'> | undefined
  streams: readonly string[]
  database: Database | undefined
  /** The table of each collection that has one of its own. */
  tables: ReadonlyMap<string, string>
  resolver: Pick<DidResolver, 'resolve'>
  handles: Pick<HandleResolver, 'resolve'>
  /** Made by `createGuardedFetch`: a PDS is named by a stranger. */
  fetch: GuardedFetch
  logger?: Logger
}

/** What was asked for names neither an account nor a record, or a handle that leads nowhere. */
export class UnknownSubjectError extends Error {
  override readonly name = 'UnknownSubjectError'
}

/**
 * Looks for a record or an account everywhere it could be: at its PDS, at the relays, in the streams, among what was given
 * up, and in the database; and says what it comes to.
 * @throws {UnknownSubjectError}
 */
export async function traceSubject(text: string, sources: TraceSources, signal?: AbortSignal): Promise<Trace> {
  const input = readSubject(text)
  if (!input) throw new UnknownSubjectError('not a DID, a handle, or the AT-URI of a record')
  const facts = await gather(subjectOf(input, await didOf(input, sources)), sources, signal)
  return { subject: facts.subject, verdict: judgeTrace(facts), steps: traceSteps(facts) }
}

/** The network has the word; where it does not answer, a handle that we have confirmed is as good. */
async function didOf(input: SubjectInput, { handles, database }: TraceSources): Promise<string> {
  if (input.kind === 'did') return input.did
  const { handle } = input
  const asked = await answerOf(
    () => handles.resolve(handle),
    () => 'away',
  )
  if (asked.ok && asked.value !== null) return asked.value
  const known = await answerOf(
    async () => await database?.db.selectFrom('actor').select('did').where('handle', '=', handle).executeTakeFirst(),
    () => 'away',
  )
  const did = valueOf(known)?.did
  if (did !== undefined) return did
  throw new UnknownSubjectError(
    asked.ok ? `${handle} leads to no account` : `${handle} cannot be looked up now: try its DID`,
  )
}

async function gather(subject: Subject, sources: TraceSources, signal: AbortSignal | undefined): Promise<TraceFacts> {
  const { store, database, tables, logger = silentLogger } = sources
  const explain = (what: string) => (error: unknown) => {
    logger.warn({ err: error, part: what }, 'a part of a trace is missing')
    return `the ${what} failed to answer`
  }
  const ask = { resolver: sources.resolver, fetch: sources.fetch, signal }
  const identity = askIdentity(subject.did, ask)
  const upstreams = database
    ? answerOf(() => readUpstreams(database), explain('database'))
    : Promise.resolve(notConfigured)
  const [pds, relays, found, stored] = await Promise.all([
    identity.then((known) => askPds(subject, known, ask)),
    upstreams.then((known) => {
      const urls = new Set(
        (valueOf(known) ?? []).filter(({ stream }) => stream !== streams.labelLive).map(({ url }) => url),
      )
      return Promise.all(
        [...urls].map(async (url) => ({
          host: hostWithoutScheme(url),
          answer: await askRelay(url, subject.did, ask),
        })),
      )
    }),
    store
      ? answerOf(() => findInStreams({ store, streams: sources.streams, subject }), explain('store of streams'))
      : Promise.resolve(notConfigured),
    database
      ? answerOf(() => readStored({ database, subject, tables }), explain('database'))
      : Promise.resolve(notConfigured),
  ])
  return { subject, now: Date.now(), identity: await identity, pds, relays, streams: found, database: stored }
}

const notConfigured: Answer<never> = { ok: false, why: 'it cannot be reached' }
