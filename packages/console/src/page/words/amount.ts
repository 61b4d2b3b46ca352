/** `1,234`, and from a hundred thousand on `123k`, `4.6M`. */
export function amount(count: number): string {
  if (count < 100_000) return Math.round(count).toLocaleString('en')
  const [size, letter] = count < 1e6 ? [1e3, 'k'] : count < 1e9 ? [1e6, 'M'] : ([1e9, 'G'] as const)
  return `${(count / size).toFixed(count / size < 100 ? 1 : 0)}${letter}`
}

/** `1 entry`, `2 entries`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${amount(count)} ${count === 1 ? one : many}`
}
