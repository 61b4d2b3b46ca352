const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

/** A span of time as people say it: `3 days`, `12 minutes`, `40 s`. */
export function ago(seconds: number): string {
  for (const [unit, size] of units) {
    const count = Math.floor(seconds / size)
    if (count >= 2) return `${count} ${unit}s`
    if (count === 1 && seconds >= size * 1.5) return `${(seconds / size).toFixed(1)} ${unit}s`
    if (count === 1) return `1 ${unit}`
  }
  return `${Math.max(0, Math.round(seconds))} s`
}

const number = new Intl.NumberFormat('en')

/** `1 entry`, `12,000 entries`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${number.format(value)} ${value === 1 ? one : many}`
}

/** `1.5 GiB`. */
export function bytes(value: number): string {
  const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = Math.min(steps.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10))
  return `${(value / 2 ** (10 * step)).toFixed(step === 0 ? 0 : 1)} ${steps[step]}`
}
