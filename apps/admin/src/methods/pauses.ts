import type { Pause as PauseOutput } from '@millrace/admin-api'
import {
  countPausedRepos,
  pauseKinds,
  type Database,
  type Pause,
  type PauseKind,
  type PauseTarget,
} from '@millrace/database'
import { hostWithoutScheme } from '@millrace/stream-protocol'
import { readHosts } from './hosts.ts'
import { databaseOf, MethodError, type MethodContext } from './method.ts'

/** Of accounts that wait for a collection so many are counted (hazard M7). */
const MOST_ACCOUNTS = 100_000
const roles: readonly string[] = ['ingester', 'backfiller', 'indexer']

/** Pauses as the lexicon has them, with how many accounts wait for collections. */
export async function withAccounts(database: Database, pauses: readonly Pause[]): Promise<PauseOutput[]> {
  const accounts = pauses.some(({ kind }) => kind === 'collection')
    ? await countPausedRepos(database, MOST_ACCOUNTS)
    : new Map<string, number>()
  return pauses.map((pause) =>
    pauseOf(pause, pause.kind === 'collection' ? (accounts.get(pause.name) ?? 0) : undefined),
  )
}

export function pauseOf({ kind, name, reason, who, since, until, leftMs }: Pause, accounts?: number): PauseOutput {
  return {
    kind,
    name,
    reason,
    who,
    since: since.toISOString(),
    isOver: leftMs !== null && leftMs <= 0,
    ...(until && { until: until.toISOString() }),
    ...(accounts !== undefined && { accounts }),
  }
}

/** What is meant by the name of something that can be paused. @throws {MethodError} when it is nothing of ours. */
export async function targetOf(
  { target, kind }: { target: string; kind?: PauseKind | undefined },
  context: MethodContext,
): Promise<PauseTarget> {
  const { declared, tables } = context.sources
  const isOf: Readonly<Record<PauseKind, () => boolean | Promise<boolean>>> = {
    role: () => roles.includes(target),
    group: () => declared.some(({ group }) => group === target),
    collection: () => tables.has(target),
    host: async () =>
      isHost(nameOf('host', target)) &&
      (kind === 'host' || (await readHosts(databaseOf(context), nameOf('host', target))).length > 0),
  }
  for (const each of kind === undefined ? pauseKinds : [kind])
    if (await isOf[each]()) return { kind: each, name: nameOf(each, target) }
  throw new MethodError(
    'UnknownTarget',
    kind === undefined
      ? `${target} is no role, group or collection of this pipeline, and no host that was asked lately: say kind host for one that may be`
      : `${target} is no ${kind} of this pipeline`,
  )
}

/** A pause that is there, of what goes by this name. */
export function isMeant({ target, kind }: { target: string; kind?: PauseKind | undefined }, pause: Pause): boolean {
  return (kind === undefined || pause.kind === kind) && pause.name === nameOf(pause.kind, target)
}

function nameOf(kind: PauseKind, target: string): string {
  return kind === 'host' ? hostWithoutScheme(target).toLowerCase() : target
}

/** A name or an address, with or without a port. */
function isHost(text: string): boolean {
  return /^[^/@?#\s]+$/.test(text) && URL.canParse(`https://${text}`)
}
