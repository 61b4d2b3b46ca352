/** How something stands. `unknown`: who would know does not answer. */
export type Level = 'ok' | 'unknown' | 'warn' | 'bad'

const order: readonly Level[] = ['ok', 'unknown', 'warn', 'bad']

export function worst(levels: Iterable<Level>): Level {
  let found = 0
  for (const level of levels) found = Math.max(found, order.indexOf(level))
  return order[found]!
}

/** In a word, beside the colour: nobody should need to see that. */
export const wordOf: Record<Level, string> = {
  ok: 'fine',
  unknown: 'not known',
  warn: 'to be looked at',
  bad: 'wrong',
}
