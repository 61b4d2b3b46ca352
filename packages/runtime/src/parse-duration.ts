const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time span with its unit (`90s`, `15m`, `12h`, `3d`), in milliseconds; undefined for text that is none. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? []
  return digits && unit ? Math.round(Number(digits) * (unitMs[unit] ?? 0)) : undefined
}
