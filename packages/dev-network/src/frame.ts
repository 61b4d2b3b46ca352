import { decodeAll, encode } from '@atproto/lex-cbor'
import { type LexMap, type LexValue, ui8Concat } from '@atproto/lex-data'

/** The two values that a message of an event stream is made of. */
export interface Frame {
  /** `op` 1 with a type `t`, or `op` -1 for an error that ends the stream. */
  header: { op: number; t?: string }
  body: LexMap
}

/** Header and body as DAG-CBOR, one after the other (AT Protocol event streams). */
export function encodeFrame(header: Frame['header'], body: LexMap): Uint8Array {
  return ui8Concat([encode(header as LexValue as LexMap), encode(body)])
}

/** @throws when the bytes are not exactly two CBOR maps. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const [header, body, ...rest] = [...decodeAll(bytes)] as LexMap[]
  if (!header || !body || rest.length > 0) throw new Error('a frame is a header and a body')
  return { header: header as LexMap & Frame['header'], body }
}

export const messageFrame = (type: string, body: LexMap): Uint8Array => encodeFrame({ op: 1, t: type }, body)

export const errorFrame = (error: string, message: string): Uint8Array => encodeFrame({ op: -1 }, { error, message })
