import type { Database } from './open-database.ts'

/** A problem that people are told of, or will be if it lasts. Times are milliseconds since 1970. */
export interface StoredAlarm {
  code: string
  /** What it is about; empty for the pipeline as a whole. */
  subject: string
  severity: string
  message: string
  meaning: string
  command: string
  since: number
  seenAt: number
  /** Since it has lasted long enough. */
  openedAt: number | null
  /** Since it was not seen for long enough. */
  endedAt: number | null
  /** When each receiver was last told that it is there. */
  told: Readonly<Record<string, number>>
}

/** Alarms of one kind, or one alarm, that nobody is told of for a while. */
export interface Silence {
  code: string
  /** Null for whatever it is about. */
  subject: string | null
  reason: string
  who: string
  createdAt: Date
  expiresAt: Date
}

const milliseconds = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`
const moment = (column: string): string => `to_timestamp(${column}::float8 / 1000)`

/** Alarms and silences in Postgres. One process at a time keeps the alarms. */
export class AlarmStore {
  readonly #database: Pick<Database, 'pool'>

  constructor(database: Pick<Database, 'pool'>) {
    this.#database = database
  }

  /** All that are kept, those that have ended as well; by when they began. */
  async alarms(): Promise<StoredAlarm[]> {
    const { rows } = await this.#database.pool.query<StoredAlarm>(
      `select code, subject, severity, message, meaning, command, told, ${milliseconds('since')} as since,
         ${milliseconds('seen_at')} as "seenAt", ${milliseconds('opened_at')} as "openedAt",
         ${milliseconds('ended_at')} as "endedAt"
       from millrace_alarm order by since, code, subject`,
    )
    return rows
  }

  /** Keeps these, and forgets all others. */
  async replaceAlarms(alarms: readonly StoredAlarm[]): Promise<void> {
    await this.#database.pool.query(
      `with given as (
         select * from jsonb_to_recordset($1::jsonb) as a(code text, subject text, severity text, message text,
           meaning text, command text, since float8, "seenAt" float8, "openedAt" float8, "endedAt" float8, told jsonb)
       ), forgotten as (
         delete from millrace_alarm where (code, subject) not in (select code, subject from given)
       )
       insert into millrace_alarm as a
         (code, subject, severity, message, meaning, command, since, seen_at, opened_at, ended_at, told)
       select code, subject, severity, message, meaning, command, ${moment('since')}, ${moment('"seenAt"')},
         ${moment('"openedAt"')}, ${moment('"endedAt"')}, told
       from given
       on conflict (code, subject) do update set severity = excluded.severity, message = excluded.message,
         meaning = excluded.meaning, command = excluded.command, since = excluded.since, seen_at = excluded.seen_at,
         opened_at = excluded.opened_at, ended_at = excluded.ended_at, told = excluded.told`,
      [JSON.stringify(alarms)],
    )
  }

  /** Those that hold now, by when they end. */
  async silences(): Promise<Silence[]> {
    const { rows } = await this.#database.pool.query<Silence>(
      `select code, subject, reason, who, created_at as "createdAt", expires_at as "expiresAt"
       from millrace_silence where expires_at > now() order by expires_at, code, subject`,
    )
    return rows
  }

  /** Has nobody told of a kind of alarm, or of one subject of it, until a time. */
  async silence({ code, subject, reason, who, expiresAt }: Omit<Silence, 'createdAt'>): Promise<void> {
    await this.#database.pool.query(
      `with over as (delete from millrace_silence where expires_at < now())
       insert into millrace_silence (code, subject, reason, who, expires_at) values ($1, $2, $3, $4, $5)`,
      [code, subject, reason, who, expiresAt],
    )
  }

  /** Ends those of exactly this. @returns how many have held. */
  async unsilence({ code, subject }: Pick<Silence, 'code' | 'subject'>): Promise<number> {
    const { rowCount } = await this.#database.pool.query(
      'delete from millrace_silence where code = $1 and subject is not distinct from $2 and expires_at > now()',
      [code, subject],
    )
    return rowCount ?? 0
  }
}
