import { FieldReader, parseObject, type JsonObject } from './check.ts'
import { InvalidEventError } from './errors.ts'
import type { Codec } from './ports.ts'

/** One label as its labeler sent it (lexicon `com.atproto.label.defs#label`), without the signature. */
export interface Label {
  ver?: number
  /** DID of the labeler. */
  src: string
  /** What it is about: an AT-URI or a DID. */
  uri: string
  /** The version it is about; all versions when absent. */
  cid?: string
  /** 1 to 128 bytes. */
  val: string
  /** True takes an earlier label back. Absent means false. */
  neg?: boolean
  /** When it was made, RFC 3339. */
  cts: string
  /** When it ends, RFC 3339. */
  exp?: string
}

/** An entry of `label_live`. */
export interface LabelEvent {
  type: 'label'
  label: Label
  /** Sequence number of the frame at `host`; later frames win among equal times (hazard L2). */
  seq?: number
  host?: string
  /** How often `host` had lost its sequence numbers by then, as far as we know; absent means never. */
  epoch?: number
}

/** Field `event`, holding the event as JSON. A `sig` in any form is passed over: nothing reads it. */
export const labelEventCodec: Codec<LabelEvent> = {
  field: 'event',
  encode: (event) => JSON.stringify(event),
  decode: (text) => readLabelEvent(parseObject(text)),
}

/** @throws {InvalidEventError} naming the first field that does not hold. */
export function readLabelEvent(object: JsonObject): LabelEvent {
  if (object['type'] !== 'label')
    throw new InvalidEventError('unknown-type', `unknown event type ${JSON.stringify(object['type'])?.slice(0, 40)}`)
  const event = new FieldReader(object)
  const label = new FieldReader(event.object('label'))
  const seq = event.optionalInteger('seq')
  const host = event.optionalText('host')
  const epoch = event.optionalInteger('epoch')
  const ver = label.optionalInteger('ver')
  const cid = label.optionalText('cid')
  const neg = label.optionalBoolean('neg')
  const exp = label.optionalText('exp')
  const uri = label.text('uri')
  if (!/^(at:\/\/|did:)/.test(uri) || Buffer.byteLength(uri) > 8192) label.fail('uri', 'an AT-URI or a DID')
  const val = label.text('val')
  if (val === '' || Buffer.byteLength(val) > 128) label.fail('val', '1 to 128 bytes of text')
  return {
    type: 'label',
    label: {
      ...(ver !== undefined && { ver }),
      src: label.did('src'),
      uri,
      ...(cid && { cid }),
      val,
      ...(neg !== undefined && { neg }),
      cts: label.text('cts'),
      ...(exp !== undefined && { exp }),
    },
    ...(seq !== undefined && { seq }),
    ...(host !== undefined && { host }),
    ...(epoch !== undefined && { epoch }),
  }
}
