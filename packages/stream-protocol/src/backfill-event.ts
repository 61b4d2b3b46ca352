import { FieldReader, parseObject, type JsonObject } from './check.ts'
import type { Codec } from './ports.ts'

/** A repo to fetch: an entry of `repo_backfill`, one for each row of `com.atproto.sync.listRepos`. */
export interface BackfillEvent {
  did: string
  /** The host that listed it, with scheme. */
  host: string
  /** Its revision when it was listed. */
  rev: string
  /** Absent means active. */
  active?: boolean
  status?: string
}

/** Field `repo`, holding the event as JSON. */
export const backfillEventCodec: Codec<BackfillEvent> = {
  field: 'repo',
  encode: (event) => JSON.stringify(event),
  decode: (text) => readBackfillEvent(parseObject(text)),
}

/** @throws {InvalidEventError} naming the first field that does not hold. */
export function readBackfillEvent(object: JsonObject): BackfillEvent {
  const fields = new FieldReader(object)
  fields.did()
  fields.text('rev')
  fields.optionalText('status')
  fields.optionalBoolean('active')
  if (!/^https?:\/\//.test(fields.text('host'))) fields.fail('host', 'an http or https URL')
  return object as unknown as BackfillEvent
}
