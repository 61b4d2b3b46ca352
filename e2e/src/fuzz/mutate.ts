import type { Random } from '@millrace/dev-network'

/** Bytes that often mean something: heads of CBOR, lengths, ends of ranges. */
const telling = [0x00, 0x01, 0x17, 0x18, 0x1b, 0x5f, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xd8, 0xf6, 0xf7, 0xfb, 0xff]

/** The same bytes but for one to four changes: bits, bytes, pieces cut out, doubled or moved, an end cut off. */
export function mutate(bytes: Uint8Array, random: Random): Buffer {
  let mutated: Buffer = Buffer.from(bytes)
  for (let changes = 1 + random.below(4); changes > 0 && mutated.length > 0; changes--)
    mutated = change(mutated, random)
  return mutated
}

function change(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length)
  const size = 1 + random.below(Math.min(64, bytes.length - at))
  const piece = bytes.subarray(at, at + size)
  const to = random.below(bytes.length)
  switch (random.below(7)) {
    case 0:
      bytes[at]! ^= 1 << random.below(8)
      return bytes
    case 1:
      bytes[at] = random.pick(telling)!
      return bytes
    case 2:
      bytes[at] = random.below(256)
      return bytes
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)])
    case 4:
      return Buffer.concat([bytes.subarray(0, to), piece, bytes.subarray(to)])
    case 5:
      piece.copy(bytes, to)
      return bytes
    default:
      return bytes.subarray(0, at)
  }
}
