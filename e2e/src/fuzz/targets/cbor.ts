import { decode, encode } from '@atproto/lex-cbor'
import { decodeCbor, JsonWriter, readRecord } from '@millrace/repo-reader'
import { InvalidEventError } from '@millrace/stream-protocol'
import type { Random } from '@millrace/dev-network'
import { mutate } from '../mutate.ts'
import { FuzzError, type FuzzTarget } from '../target.ts'
import { randomRecord } from './random-record.ts'

/**
 * Blocks of records. What we take, `@atproto/lex-cbor` takes too and writes back to the same bytes: there is one form.
 * The text that is written without values in between is that of the values.
 */
export const cborTarget: FuzzTarget = {
  name: 'cbor',
  make: (random: Random) => {
    const block = encode(randomRecord(random))
    return random.chance(0.2) ? Buffer.from(block) : mutate(block, random)
  },
  run(input) {
    const isAccepted = holds(() => decodeCbor(input))
    // Their decoder makes a prototype of the one, and drops the other, a byte order mark, from the beginning of a text.
    const isForOthers = isAccepted && !input.includes('__proto__') && !input.includes('\uFEFF')
    if (isForOthers && !Buffer.from(encode(decode(input))).equals(input))
      throw new FuzzError('there is another form of it')
    const writer = new JsonWriter()
    const isWritten = writer.record(input, 0, input.length)
    let json: string | undefined
    holds(() => (json = JSON.stringify(readRecord(input))))
    if (isWritten && JSON.stringify(JSON.parse(String(writer.take()))) !== json)
      throw new FuzzError(`its text is not that of its values, which are ${json}`)
    return isAccepted ? 'accepted' : 'refused'
  },
}

function holds(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (error instanceof InvalidEventError) return false
    throw error
  }
}
