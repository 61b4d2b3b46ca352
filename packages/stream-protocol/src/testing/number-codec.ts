import { InvalidEventError, type Codec } from '../index.ts'

/** The smallest event: a number. */
export const numberCodec: Codec<number> = {
  field: 'event',
  encode: (value) => JSON.stringify({ n: value }),
  decode: (text) => {
    const match = /^\{"n":(\d+)\}$/.exec(text)
    if (!match) throw new InvalidEventError('bad-number', `not a number: ${text}`)
    return Number(match[1])
  },
}

/** Writes any text as it is: entries that are no events. */
export const rawCodec: Codec<string> = { field: 'event', encode: (text) => text, decode: (text) => text }

/** `count` numbers from `first` on. */
export function numbers(count: number, first = 1): number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}
