import type { Database } from '@millrace/database'
import type { DeclaredStream, ExposureFacts, ProblemWatch, ProgressWatch } from '@millrace/diagnosis'
import type { DidResolver, GuardedFetch, HandleResolver } from '@millrace/identity'
import type { Logger, StreamStore } from '@millrace/stream-protocol'
import type { AlarmBook } from './alarms/alarm-book.ts'
import type { Webhook } from './alarms/webhook.ts'
import type { CursorOf } from './collect-status.ts'
import type { LagHistory } from './lag-history.ts'

/** A store that is configured, and cannot be had. */
export interface Away {
  kind: 'redis' | 'sqlite' | 'postgres'
  /** Without secrets. */
  location: string
  why: string
}

/** What admin methods work on. */
export interface AdminSources {
  store: StreamStore | Away
  /** Undefined when none is configured. */
  database?: Database | Away | undefined
  /** The streams of the pipeline, with the groups that have to read them. */
  declared: readonly DeclaredStream[]
  /** Hosts whose cursors are of interest, beside those that ingesters have said to read. */
  cursors?: readonly CursorOf[]
  labelStream: string
  /** The stream of repos to fetch. */
  repoStream: string
  /** The streams of record events that indexers read. */
  eventStreams: readonly string[]
  /** Judges groups. Without it one look has to do. */
  watch?: ProgressWatch | undefined
  /** Knows since when problems are there, and what hosts have said lately. Without it one look has to do. */
  problems?: ProblemWatch | undefined
  /** What people are told of. Without it what the last process has kept has to do. */
  alarms?: AlarmBook | undefined
  /** Who is told of alarms. */
  webhooks?: readonly Webhook[]
  /** Absent where no server runs. */
  history?: LagHistory | undefined
  /** The table of each collection that has one of its own. */
  tables: ReadonlyMap<string, string>
  resolver: Pick<DidResolver, 'resolve'>
  handles: Pick<HandleResolver, 'resolve'>
  /** Made by `createGuardedFetch`. */
  fetch: GuardedFetch
  exposure?: ExposureFacts | undefined
  logger?: Logger
}
