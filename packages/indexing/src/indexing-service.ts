import { dirtyStatement, pausedRepoStatement, type Database } from '@millrace/database'
import {
  noMeter,
  silentLogger,
  type LabelEvent,
  type Logger,
  type Meter,
  type StreamEvent,
} from '@millrace/stream-protocol'
import type { PdsAnswer } from './accounts/account-state.ts'
import { applyAccounts } from './accounts/apply-accounts.ts'
import { passOver } from './accounts/pass-over.ts'
import { raiseFloors } from './accounts/raise-floors.ts'
import { removeAccount } from './accounts/remove-account.ts'
import { settleAccount, type SettledAccount } from './accounts/settle-account.ts'
import { askAbout, askAgain } from './accounts/stored-account.ts'
import { applyRecords, type ApplyContext } from './apply/apply-records.ts'
import type { NegativeCount } from './apply/negative-counts.ts'
import { ensureActors, purgeDeadLetters, raiseRepos, requestIdentities } from './apply/write-effects.ts'
import { checkCountTables, countTables } from './count-tables.ts'
import { applyLabels } from './labels/apply-labels.ts'
import { reduceLabels } from './labels/reduce-labels.ts'
import { indexResult, type IndexResult, type Rejection } from './index-result.ts'
import { indexingMetrics, type IndexingMetrics } from './metrics.ts'
import { newestOfEach } from './newest-of-each.ts'
import { passBy } from './pass-by.ts'
import { planChanges } from './plan.ts'
import { checkPluginTables } from './plugin-tables.ts'
import { pluginMap, type PluginMap, type RecordPlugin } from './plugin.ts'
import type { Outcome, PutOp, RecordOp } from './record-op.ts'
import { reduceEvents } from './reduce.ts'
import { commitParts } from './repos/commit-part.ts'
import { beginningReindexes, forgetRevisions } from './repos/forget-revisions.ts'
import { RepairCounts, repairsOf } from './repos/repair-counts.ts'
import { runParts } from './repos/run-part.ts'
import { accountsWithRecords, settleRepos, type SettledRepos } from './repos/settle-repos.ts'
import { transaction, type Session, type Statement } from './session.ts'
import { shareCollections } from './share-collections.ts'
import { lockAndRead } from './stored-state.ts'
import { tablesOf } from './tables-of.ts'
import { readTableShapes, type TableShapes } from './table-shape.ts'
import { compareText } from './values.ts'

export interface IndexingServiceOptions {
  /** Opened with `pipeline: true`, so that the statements of a transaction need not wait for each other. */
  database: Database
  plugins: readonly RecordPlugin[]
  /**
   * For what is done about accounts beside the events, so that records do not wait for it. Opened as `database` is.
   * @default database
   */
  background?: Database
  /** What becomes of collections without a plugin: kept in `record`, or counted and left. @default 'record' */
  otherCollections?: 'record' | 'skip'
  /**
   * Whether the records of a collection are only kept in `record` for now. Their accounts are noted, to be fetched once
   * it goes on (see `releasePausedRepos`); what is deleted goes all the same. @default none
   */
  isPaused?: (collection: string) => boolean
  /** Age of a record, in milliseconds, up to which it notifies. Infinity for all, 0 for none. @default 3 days */
  notificationHorizonMs?: number
  /**
   * Whether an `AccountChecker` runs, here or elsewhere: it asks the PDS of accounts that a host says are inactive, and
   * removes those that are deleted. Without one, an account is removed as soon as a firehose says that it is deleted.
   * @default false
   */
  asksAboutAccounts?: boolean
  logger?: Logger
  meter?: Meter
  /** Our clock, in milliseconds since 1970. @default Date.now */
  now?: () => number
}

/**
 * Turns events into rows.
 *
 * `index` gives the effects of a batch as one transaction: when it resolves they are committed, when it rejects there
 * are none. The rows depend on the events alone, not on their order, their batches, how often they came, or how many
 * services work at once (hazards G5, G6).
 */
export class IndexingService {
  readonly #database: Database
  readonly #background: Database
  readonly #plugins: PluginMap
  readonly #shapes: TableShapes
  readonly #otherCollections: 'record' | 'skip'
  readonly #isPaused: ((collection: string) => boolean) | undefined
  readonly #horizonMs: number
  readonly #asks: boolean
  readonly #logger: Logger
  readonly #now: () => number
  readonly #metrics: IndexingMetrics

  private constructor(
    {
      database,
      plugins,
      background = database,
      otherCollections = 'record',
      isPaused,
      notificationHorizonMs = 3 * 86_400_000,
      asksAboutAccounts = false,
      logger = silentLogger,
      meter = noMeter,
      now = Date.now,
    }: IndexingServiceOptions,
    shapes: TableShapes,
  ) {
    this.#database = database
    this.#background = background
    this.#plugins = pluginMap(plugins)
    this.#shapes = shapes
    this.#otherCollections = otherCollections
    this.#isPaused = isPaused
    this.#horizonMs = notificationHorizonMs
    this.#asks = asksAboutAccounts
    this.#logger = logger.child({ component: 'indexing' })
    this.#now = now
    this.#metrics = indexingMetrics(meter, plugins)
  }

  /**
   * @throws when a table that a plugin writes, or a column that it counts by, does not exist (the database has to be
   * migrated first), or does not fit what the plugin says of it.
   */
  static async open(options: IndexingServiceOptions): Promise<IndexingService> {
    const { database, plugins, otherCollections = 'record' } = options
    const shapes = await readTableShapes(database.pool, tablesOf(plugins))
    checkPluginTables(plugins, shapes)
    checkCountTables(countTables(plugins), shapes)
    await shareCollections(database, plugins, otherCollections)
    return new IndexingService(options, shapes)
  }

  /** Applies events as one transaction. Those of accounts that are not followed are skipped. */
  async index(events: readonly StreamEvent[]): Promise<IndexResult> {
    const passedBy = await passBy(this.#database, events)
    if (passedBy.size === 0) return await this.#index(events, false)
    this.#metrics.events.add(passedBy.size, { outcome: 'skipped' })
    const kept = [...events.keys()].filter((index) => !passedBy.has(index))
    const result = await this.#index(
      kept.map((index) => events[index]!),
      false,
    )
    const outcomes = events.map((): Outcome => 'skipped')
    for (const [place, index] of kept.entries()) outcomes[index] = result.outcomes[place]!
    const rejected = result.rejected.map((rejection) => ({ ...rejection, index: kept[rejection.index]! }))
    return { ...result, outcomes, rejected }
  }

  /** Applies a record that the database refuses: as one that its lexicon forbids, which takes the one before with it. */
  async refuse(event: StreamEvent): Promise<void> {
    await this.#index([event], true)
  }

  async #index(events: readonly StreamEvent[], refused: boolean): Promise<IndexResult> {
    const now = new Date(this.#now()).toISOString()
    const batch = reduceEvents(events, {
      plugins: this.#plugins,
      shapes: this.#shapes,
      otherCollections: this.#otherCollections,
      isPaused: this.#isPaused,
      now,
      refused,
    })
    const runs = runParts(events)
    const started = performance.now()
    const { decided, session, dirty, removed, negative, unfinished } = await transaction(
      this.#database.pool,
      async (session) => {
        let stored = await lockAndRead(session, batch.seen.keys(), batch.ops)
        const reindexes = beginningReindexes(runs, stored.repos)
        if (reindexes.length > 0) {
          await session.all(forgetRevisions(reindexes))
          stored = await lockAndRead(session, batch.seen.keys(), batch.ops)
        }
        const accounts = await applyAccounts(session, batch.accounts, { now, asks: this.#asks })
        const hidden = new Map([...stored.hidden, ...accounts.states])
        const { passedOver, inDoubt } = passOver(events, hidden)
        const isDeleted = (did: string): boolean => hidden.get(did)?.deleted ?? false

        const decided = new Map(batch.decided)
        for (const index of passedOver)
          if (!decided.has(index) || events[index]!.type === 'repo') decided.set(index, 'skipped')
        const live = batch.ops.filter((op) => !passedOver.has(batch.eventOf.get(op)!))
        const { changes, outcomes } = planChanges(live, stored)
        for (const [op, outcome] of outcomes) decided.set(batch.eventOf.get(op)!, outcome)

        const kept = events.filter((_, index) => !passedOver.has(index))
        const repairs = new RepairCounts()
        repairs.addPlanned(changes, stored, (op) => events[batch.eventOf.get(op)!]!, repairsOf(runs))
        const context = this.#applyContext(session, now)
        const keptCommits = commitParts(kept)
        const withRecords = await accountsWithRecords(session, keptCommits, stored.repos)
        const negative = await applyRecords(context, changes, stored.lockNames)
        const settled = await settleRepos(context, {
          repairs,
          stored: stored.repos,
          commits: keptCommits,
          withRecords,
          runs: runParts(kept),
        })

        const actors = [...batch.seen]
          .filter(([did]) => !isDeleted(did))
          .map(([did, indexedAt]) => ({ did, indexedAt }))
          .sort((a, b) => compareText(a.did, b.did))
        const revs = [
          ...[...batch.revs.values()].filter(({ event }) => !passedOver.has(event)),
          ...settled.reached,
        ].sort((a, b) => compareText(a.did, b.did))
        // With what made them necessary: an event that is read again would not lead to them a second time.
        const returned = accounts.returned.map((did) => ({ did, reason: 'reactivated' }))
        await session.all([
          ensureActors(actors),
          ...accounts.statements,
          requestIdentities(
            [...new Set([...batch.identities, ...batch.accounts].map((event) => event.did))]
              .filter((did) => !isDeleted(did))
              .sort(compareText),
          ),
          raiseRepos(newestOfEach(revs)),
          // Deletions that repeat one: what is read a second time may have brought their records to the dead letters again.
          // One that is refused again is not deleted: its letter is what is left of it.
          purgeDeadLetters(
            live.filter((op) => op.action === 'remove' && op.invalid === undefined && outcomes.get(op) === 'duplicate'),
          ),
          keepOut(newestOfEach(batch.ops.filter((op) => isDeleted(op.did)))),
          this.#asks ? askAgain(inDoubt) : undefined,
          returned.length > 0 ? dirtyStatement(returned) : undefined,
          held(changes.puts),
        ])
        this.#countRepos(settled)
        const removed = this.#asks ? [] : [...accounts.states.keys()].filter(isDeleted)
        return {
          decided,
          session,
          dirty: returned,
          removed,
          negative: [...negative, ...settled.negative],
          unfinished: settled.unfinished,
        }
      },
    )
    this.#metrics.seconds.observe((performance.now() - started) / 1000)
    this.#alarm(negative)
    for (const did of removed) await this.removeAccount(did)
    for (const did of unfinished) await this.settleRepo(did)
    const result = indexResult(events, { decided, invalid: batch.invalid, dirty, session })
    this.#countEvents(result.outcomes)
    return result
  }

  /**
   * Settles what is stored of one repo: goes on with the sweep of a run that is complete, in parts short enough not to
   * hold up others. With `impatient`, gives up waiting for commits that are missing, and marks the repo.
   */
  async settleRepo(did: string, { impatient = false }: { impatient?: boolean } = {}): Promise<void> {
    for (let unfinished = true; unfinished;) {
      const now = new Date(this.#now()).toISOString()
      const settled = await transaction(this.#database.pool, async (session) => {
        const { repos, hidden } = await lockAndRead(session, [did], [])
        const nothing = new Map(hidden.get(did)?.deleted ? [] : [[did, []] as const])
        const repairs = new RepairCounts()
        const settled = await settleRepos(this.#applyContext(session, now), {
          repairs,
          stored: repos,
          commits: nothing,
          runs: nothing,
          withRecords: new Set(),
          impatient,
        })
        await session.all([raiseRepos(settled.reached)])
        return settled
      })
      this.#countRepos(settled)
      this.#alarm(settled.negative)
      unfinished = settled.unfinished.length > 0
    }
  }

  #applyContext(session: Session, now: string): ApplyContext {
    return { session, shapes: this.#shapes, plugins: this.#plugins, now, isNews: (sortAt) => this.#isNews(sortAt) }
  }

  #countEvents(outcomes: readonly Outcome[]): void {
    const totals = new Map<Outcome, number>()
    for (const outcome of outcomes) totals.set(outcome, (totals.get(outcome) ?? 0) + 1)
    for (const [outcome, count] of totals) this.#metrics.events.add(count, { outcome })
  }

  #countRepos({ swept, legacy, broke }: SettledRepos): void {
    this.#metrics.swept.add(swept)
    this.#metrics.chains.add(legacy, { result: 'legacy' })
    this.#metrics.chains.add(broke, { result: 'broken' })
  }

  /** Labels of a batch, as one transaction. Repeating or reordering them changes nothing (hazards L2, L3). */
  async indexLabels(events: readonly LabelEvent[]): Promise<{ rejected: Rejection[] }> {
    const batch = reduceLabels(events)
    await transaction(this.#database.pool, (session) => applyLabels(session, batch))
    const error = 'it is longer than an index can hold'
    return { rejected: batch.tooLong.map((index) => ({ index, reason: 'too-long', error })) }
  }

  /**
   * Removes what is left of an account that is deleted, in parts that are transactions of their own: after a crash the
   * next call finds the rest (hazard A6). Ends early when the account has come back, or when the signal is aborted.
   */
  async removeAccount(did: string, signal?: AbortSignal): Promise<void> {
    const { removed, negative } = await removeAccount({
      pool: this.#background.pool,
      shapes: this.#shapes,
      plugins: this.#plugins,
      did,
      now: new Date(this.#now()).toISOString(),
      signal,
      isNews: (sortAt) => this.#isNews(sortAt),
    })
    this.#alarm(negative)
    this.#logger.info({ did, removed }, 'removed the records of a deleted account')
  }

  /** Nothing hides a count that is wrong (hazard A5): it is kept as it is, and said. */
  #alarm(negative: readonly NegativeCount[]): void {
    for (const { table, column } of negative) this.#metrics.belowZero.add(1, { table, column })
    const [first] = negative
    if (first)
      this.#logger.error(
        { ...first, counts: negative.length },
        'counts fell below zero: `millrace recount` corrects them',
      )
  }

  /** Has the PDS of accounts asked how they are: something hints that it is not as we know it. */
  async askAboutAccounts(dids: readonly string[]): Promise<void> {
    const statement = askAbout([...new Set(dids)].sort(compareText))
    if (statement) await this.#background.pool.query(statement)
  }

  /**
   * Decides about an account by what its PDS has answered to a question.
   * @param requestedAt of the question, as it stands in `millrace_account`: an answer to an older one is not used.
   */
  async settleAccount(did: string, requestedAt: string, answer: PdsAnswer): Promise<SettledAccount> {
    return transaction(this.#background.pool, (session) => settleAccount(session, { did, requestedAt, answer }))
  }

  #isNews(sortAt: string): boolean {
    return this.#horizonMs === Number.POSITIVE_INFINITY || Date.parse(sortAt) > this.#now() - this.#horizonMs
  }
}

/**
 * What a deleted account did must not be overruled by something older, should it come back. One that is only inactive
 * keeps its rows and their revisions, and what its host sent before it was may come yet (hazard G5).
 */
function keepOut(ops: readonly RecordOp[]): Statement | undefined {
  if (ops.length === 0) return undefined
  const sorted = [...ops].sort((a, b) => compareText(a.did, b.did))
  const values = [sorted.map((op) => op.did), sorted.map((op) => op.rev)]
  return raiseFloors('select * from unnest($1::text[], $2::text[])', values)
}

/** In one step with the records: one that came while its collection was paused is never without its note (hazard G3). */
function held(puts: readonly PutOp[]): Statement | undefined {
  const repos = puts.filter(({ isHeld }) => isHeld)
  return repos.length > 0 ? pausedRepoStatement(repos) : undefined
}
