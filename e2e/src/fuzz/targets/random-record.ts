import { cidForRawHash, type LexMap, type LexValue } from '@atproto/lex-data'
import { seededBytes, type Random } from '@millrace/dev-network'

const texts = [
  '',
  'a',
  'text',
  '$type',
  'app.bsky.feed.post',
  '"\\\n\u0000',
  'é',
  '😀',
  '\u2028',
  '__proto__',
  '7',
  '\uFEFF',
]
const numbers = [0, 1, -1, 23, 24, 255, 256, -257, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]

/** A record of any shape that the data model has. */
export function randomRecord(random: Random): LexMap {
  return randomMap(random, 0)
}

function randomMap(random: Random, depth: number): LexMap {
  const entries = Array.from({ length: random.below(6) }, () => [randomText(random), randomValue(random, depth + 1)])
  // `Object.fromEntries` makes an own property of a `__proto__` key.
  return Object.fromEntries(entries) as LexMap
}

function randomText(random: Random): string {
  const text = random.pick(texts)!
  return random.chance(0.1) ? text.repeat(1 + random.below(40)) : text
}

function randomValue(random: Random, depth: number): LexValue {
  switch (random.below(depth > 5 ? 6 : 9)) {
    case 0:
      return random.pick([true, false, null])!
    case 1:
      return random.pick(numbers)!
    case 2:
      return random.below(1_000_000) - 500_000
    case 3:
      return seededBytes(random.below(1e6)).subarray(random.below(32))
    case 4:
      return cidForRawHash(seededBytes(random.below(1e6)))
    case 5:
      return randomText(random)
    case 6:
      return Array.from({ length: random.below(5) }, () => randomValue(random, depth + 1))
    default:
      return randomMap(random, depth)
  }
}
