/** What a host says about its limit: as many requests until the limit begins anew. */
export interface RateLimitHint {
  remaining: number
  resetMs: number
}

/** A reset later than this is a time, not a number of seconds. */
const YEAR_SECONDS = 31_536_000

/** Reads `ratelimit-remaining` and `ratelimit-reset`, as PDSs send them and as the draft standard has them. */
export function rateLimitHint(headers: Headers, now: number): RateLimitHint | undefined {
  const remaining = whole(headers.get('ratelimit-remaining'))
  const reset = whole(headers.get('ratelimit-reset'))
  if (remaining === undefined || reset === undefined) return undefined
  const resetMs = reset > YEAR_SECONDS ? reset * 1_000 - now : reset * 1_000
  return resetMs > 0 ? { remaining, resetMs } : undefined
}

function whole(text: string | null): number | undefined {
  return text !== null && /^\d{1,12}$/.test(text.trim()) ? Number(text) : undefined
}
