import { FieldReader, parseObject, type JsonObject } from './check.ts'
import type { Codec } from './ports.ts'

/** A repo to fetch: an entry of `repo_backfill`, one for each row of `com.atproto.sync.listRepos`. */
export interface BackfillEvent {
  did: string
  /** The host that listed it, with scheme; `OWN_PDS` when nobody is known to have it but the account's own host. */
  host: string
  /** Its revision when it was listed. */
  rev: string
  /** Absent means active. */
  active?: boolean
  status?: string
  /** The repair that asks for it. */
  repair?: number
  /** The dirty mark that asks for it, as it was read. */
  mark?: string
  /** Have the repo's rows derived anew although nothing has changed. */
  reindex?: boolean
}

/** Stands for a host: the one that the account's DID document names. */
export const OWN_PDS = 'pds:'

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
  fields.optionalInteger('repair')
  fields.optionalText('mark')
  fields.optionalBoolean('reindex')
  const host = fields.text('host')
  if (host !== OWN_PDS && !/^https?:\/\//.test(host)) fields.fail('host', 'an http or https URL')
  return object as unknown as BackfillEvent
}
