import type { AlarmStore, Silence, StoredAlarm } from '@millrace/database'
import type { WatchedProblem } from '@millrace/diagnosis'
import { silentLogger, type Logger } from '@millrace/stream-protocol'
import { dueNotices, withTold, type Notice } from './due-notices.ts'
import { mergeAlarms, QUIET_MS, stepAlarms } from './step-alarms.ts'

export interface AlarmBookOptions {
  /** Undefined without a database: then a restart forgets what was told. */
  store: AlarmStore | undefined
  /** How long until a receiver is told again of what lasts. @default 4 h */
  repeatMs?: number
  /** How long a problem has to be gone until it is over. @default 5 min */
  quietMs?: number
  /** Told of what was kept by the process before this one. */
  onLoad?: (alarms: readonly StoredAlarm[]) => void
  logger?: Logger
}

/**
 * What is an alarm, and who was told of it. It is kept in the database, so that a restart tells nobody anew; while the
 * database is away it goes on in memory, with what it knew, since that is when alarms are needed.
 */
export class AlarmBook {
  readonly #store: AlarmStore | undefined
  readonly #repeatMs: number
  readonly #quietMs: number
  readonly #onLoad: (alarms: readonly StoredAlarm[]) => void
  readonly #logger: Logger
  #alarms: readonly StoredAlarm[] = []
  #silences: readonly Silence[] = []
  #kept = '[]'
  #isLoaded = false
  #isReady = false
  #saving: Promise<void> = Promise.resolve()

  constructor({
    store,
    repeatMs = 4 * 3_600_000,
    quietMs = QUIET_MS,
    onLoad = () => undefined,
    logger = silentLogger,
  }: AlarmBookOptions) {
    this.#store = store
    this.#repeatMs = repeatMs
    this.#quietMs = quietMs
    this.#onLoad = onLoad
    this.#logger = logger.child({ component: 'alarms' })
  }

  get alarms(): readonly StoredAlarm[] {
    return this.#alarms
  }

  get silences(): readonly Silence[] {
    return this.#silences
  }

  /** Takes what a look has found. What was kept is read first, if it can be. */
  async take(problems: readonly WatchedProblem[], now = Date.now()): Promise<void> {
    await this.#load()
    this.#alarms = stepAlarms(this.#alarms, problems, now, this.#quietMs)
    this.#isReady = true
    await this.#save()
  }

  /** What a receiver has to be told now. Nothing before the first look. */
  due(receiver: string, now = Date.now()): Notice[] {
    if (!this.#isReady) return []
    return dueNotices({ alarms: this.#alarms, silences: this.#silences, receiver, now, repeatMs: this.#repeatMs })
  }

  /** A receiver was told. */
  async told(receiver: string, notices: readonly Notice[], now = Date.now()): Promise<void> {
    this.#alarms = withTold(this.#alarms, { receiver, notices, now })
    await this.#save()
  }

  async #load(): Promise<void> {
    if (!this.#store) return
    try {
      if (!this.#isLoaded) {
        const stored = await this.#store.alarms()
        this.#alarms = mergeAlarms(stored, this.#alarms)
        this.#isLoaded = true
        this.#onLoad(stored)
      }
      this.#silences = await this.#store.silences()
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot read alarms and silences: going on with what is known')
    }
  }

  /** One after the other, and the newest state each time. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      const state = JSON.stringify(this.#alarms)
      // What was not read must not be written over.
      if (!this.#store || !this.#isLoaded || state === this.#kept) return
      try {
        await this.#store.replaceAlarms(this.#alarms)
        this.#kept = state
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot keep the alarms: a restart may tell of them again')
      }
    })
    return this.#saving
  }
}
