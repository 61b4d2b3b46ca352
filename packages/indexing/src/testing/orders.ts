/**
 * Orders of some values: all of them when there are no more than `most`, else that many, the reversed one among them.
 * The same from call to call.
 */
export function ordersOf<T>(values: readonly T[], most: number): T[][] {
  if (factorial(values.length) <= most) return permutations(values)
  const random = randomNumbers(values.length)
  const orders = [[...values].reverse()]
  while (orders.length < most) orders.push(shuffled(values, random))
  return orders
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}

function permutations<T>(values: readonly T[]): T[][] {
  if (values.length < 2) return [[...values]]
  return values.flatMap((first, index) =>
    permutations([...values.slice(0, index), ...values.slice(index + 1)]).map((rest) => [first, ...rest]),
  )
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[result[i], result[j]] = [result[j]!, result[i]!]
  }
  return result
}

/** Numbers from 0 up to 1, by mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
