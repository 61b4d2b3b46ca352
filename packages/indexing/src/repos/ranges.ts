/** Whole numbers as ranges `[from, to)`, ascending and apart: what Postgres calls an `int4multirange`. */
export type Ranges = readonly (readonly [from: number, to: number])[]

/** The ranges that hold these numbers and no others. */
export function rangesOf(numbers: Iterable<number>): Ranges {
  return joined([...numbers].map((number): [number, number] => [number, number + 1]))
}

/** Everything that one of them holds. */
export function unionOf(a: Ranges, b: Ranges): Ranges {
  return joined([...a, ...b].map(([from, to]): [number, number] => [from, to]))
}

/** Whether they hold every number from 0 up to, and without, `count`. */
export function coversUpTo(ranges: Ranges, count: number): boolean {
  const [first] = ranges
  return count === 0 || (first !== undefined && first[0] <= 0 && first[1] >= count)
}

export function formatRanges(ranges: Ranges): string {
  return `{${ranges.map(([from, to]) => `[${from},${to})`).join(',')}}`
}

/** Reads what Postgres writes, which is always `[from,to)`. */
export function parseRanges(text: string): Ranges {
  return [...text.matchAll(/\[(\d+),(\d+)\)/g)].map(([, from, to]) => [Number(from), Number(to)] as const)
}

function joined(ranges: [number, number][]): Ranges {
  const result: [number, number][] = []
  for (const [from, to] of ranges.sort(([a], [b]) => a - b)) {
    const last = result.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else result.push([from, to])
  }
  return result
}
