import type { RateLimitHint } from './rate-limit-hint.ts'

/** What is known of how much a host takes. A plain value: it is shared, and stored. All times are epoch milliseconds. */
export interface HostState {
  /** Requests a second that it seems to take. */
  perSecond: number
  /** When the next request may begin. */
  nextAt: number
  /** Not to be asked before; 0 when it need not be left alone. */
  heldUntil: number
  /** The last of these pauses. */
  holdMs: number
  /** While it has failed: until then one request may find out whether it is back. */
  probeUntil: number
  /** Failures in a row, refusals for the rate included, and when the last one came. */
  failures: number
  failedAt: number
  /** The rate at which it last refused; null when it never has. */
  refusedAtRate: number | null
  /** How often in a row it refused soon after the rate was lowered. */
  refusals: number
  /** Turns since the rate was last lowered. */
  turns: number
  /** The rate that its last answer allows, and until when. */
  told: { perSecond: number; until: number } | null
}

export interface HostRules {
  /** Requests a second that an unknown host is asked. */
  startPerSecond: number
  /** However much it takes. */
  maxPerSecond: number
  /** First and longest pause after a failure, in milliseconds. */
  minHoldMs: number
  maxHoldMs: number
}

/** However long a host asks to be left alone. */
const MAX_RETRY_AFTER_MS = 3_600_000
/** For one request that finds out whether a host is back. When it has not come back by then, another one may try. */
const PROBE_MS = 30_000
/** So long as turns may be taken ahead: all who share the host have heard of a failure then. */
const LEAST_HOLD_MS = 250
const LOOK_MS = 200
const MIN_PER_SECOND = 0.02
/** What is left of a rate that was refused; of one that is soon refused again its square, and so on, down to a half. */
const LOWER = 0.95
const LOWER_MOST = 0.5
const SOON = 100
/** As many refusals as that does the first one count for: until then nothing was known, so that half of the rate is left. */
const UNKNOWN = 4
/** Turns for which a lowered rate climbs back to what was refused: each refusal is less than a hundredth of them. */
const MIN_CLIMB = 250
/** Turns for the first part of it, up to a little less. */
const NEAR_IN = 50
/** That climb lasts so much longer than the pause before it: little of the time is lost to pauses. */
const CLIMB_PER_HOLD = 40
/** Who comes late for turns, by so long and by so many, does not lose them: timers are not exact. */
const LATE_MS = 40
const LATE_TURNS = 3
/** Time in which the rate of a host doubles that has refused nothing yet, in seconds. */
const DOUBLES_IN = 3
/** Idle for so many turns, and so long: the rate was not used, so that it says nothing that nothing was refused. */
const IDLE_TURNS = 5
const IDLE_MS = 300

export function unknownHost({ startPerSecond }: HostRules): HostState {
  return {
    perSecond: startPerSecond,
    nextAt: 0,
    heldUntil: 0,
    holdMs: 0,
    probeUntil: 0,
    failures: 0,
    failedAt: 0,
    refusedAtRate: null,
    refusals: 0,
    turns: 0,
    told: null,
  }
}

/** Gives out so many turns, one after the other at the pace that the host takes, by their begins; none while it is to wait. */
export function takeTurns(state: HostState, now: number, wanted: number, rules: HostRules): [HostState, number[]] {
  if (waitOf(state, now) > 0) return [state, []]
  // Half open: of a host that has failed one request finds out whether it is back.
  if (state.failures > 0) return [{ ...state, probeUntil: now + PROBE_MS }, [now]]
  const begins: number[] = []
  let { perSecond, turns, nextAt } = state
  for (let n = 0; n < wanted; n++) {
    const everyMs = 1_000 / paceOf({ ...state, perSecond }, now)
    const isPressed = nextAt + Math.max(IDLE_MS, IDLE_TURNS * everyMs) > now
    const lateMs = Math.max(everyMs, Math.min(LATE_MS, LATE_TURNS * everyMs))
    const begin = Math.max(nextAt, now - lateMs)
    begins.push(begin)
    nextAt = begin + everyMs
    turns++
    if (isPressed) perSecond = grown({ ...state, perSecond, turns }, rules)
  }
  return [{ ...state, perSecond, turns, nextAt }, begins]
}

/** What came of a request. */
export interface Answer {
  /** When the request began. What was asked before the last failure came back says no more than that failure did. */
  askedAt: number
}

export interface BadAnswer extends Answer {
  hint?: RateLimitHint | undefined
  retryAfterMs?: number | undefined
  /** From 0 up to 1, for the random part of pauses. */
  random: number
}

/** It has answered well. */
export function afterSuccess(state: HostState, now: number, answer: Answer): HostState {
  if (state.failures === 0 || isOfBefore(state, answer)) return state
  // Nobody is late for turns that were not given out.
  return { ...state, failures: 0, nextAt: Math.max(state.nextAt, now) }
}

/** It was asked too much (429): it is asked less, and not before it says. */
export function afterRefusal(state: HostState, now: number, answer: BadAnswer, rules: HostRules): HostState {
  const known = withHint(state, now, answer.hint)
  if (isOfBefore(state, answer)) return heldAtLeast(known, now, answer)
  const refusedAtRate = paceOf(state, now)
  const isFirst = state.refusedAtRate === null
  const refusals = isFirst ? UNKNOWN : state.turns < SOON ? state.refusals + 1 : 0
  const perSecond = Math.max(MIN_PER_SECOND, refusedAtRate * Math.max(LOWER_MOST, LOWER ** (2 ** refusals)))
  // Without a word from it: the time of some turns the first time, longer when it goes on to refuse.
  const firstMs = Math.max(LEAST_HOLD_MS, (IDLE_TURNS * 1_000) / perSecond)
  const ownMs = Math.min(rules.maxHoldMs, firstMs * 2 ** Math.min(state.failures, 30))
  const holdMs = asked(answer) || jittered(ownMs, answer.random)
  return { ...failed(known, now, holdMs), perSecond, refusedAtRate, refusals, turns: 0 }
}

/** It had too much at a time (429): that says nothing of its rate, but what it says of when to come back holds. */
export function afterTooMany(state: HostState, now: number, answer: BadAnswer): HostState {
  return heldAtLeast(withHint(state, now, answer.hint), now, answer)
}

/** It is out of order, or did not answer: it is left alone, longer each time, or for as long as it asks. */
export function afterFailure(state: HostState, now: number, answer: BadAnswer, rules: HostRules): HostState {
  // Requests that ran side by side fail together: that is one failure.
  if (isOfBefore(state, answer)) return heldAtLeast(state, now, answer)
  const ownMs = Math.min(rules.maxHoldMs, rules.minHoldMs * 2 ** Math.min(state.failures, 30))
  return failed(state, now, Math.max(asked(answer), jittered(ownMs, answer.random)))
}

/** Whether it was asked before the last failure came back, or by somebody who had not heard of it yet. */
function isOfBefore({ failedAt, heldUntil, probeUntil, failures }: HostState, { askedAt }: Answer): boolean {
  return askedAt < failedAt || (failures > 0 && probeUntil === 0 && askedAt < heldUntil)
}

function asked({ retryAfterMs = 0 }: BadAnswer): number {
  return Math.min(MAX_RETRY_AFTER_MS, retryAfterMs)
}

function heldAtLeast(state: HostState, now: number, answer: BadAnswer): HostState {
  return { ...state, heldUntil: Math.max(state.heldUntil, now + asked(answer)) }
}

function failed(state: HostState, now: number, holdMs: number): HostState {
  const heldUntil = Math.max(state.heldUntil, now + holdMs)
  return { ...state, failures: state.failures + 1, failedAt: now, holdMs, heldUntil, probeUntil: 0, nextAt: heldUntil }
}

/** Milliseconds until it is worth asking for a turn. */
export function waitOf({ heldUntil, nextAt, failures, probeUntil }: HostState, now: number): number {
  if (failures === 0) return Math.max(0, heldUntil - now, nextAt - now)
  // Somebody is finding out, and may be done any time.
  return Math.max(0, heldUntil - now, Math.min(LOOK_MS, probeUntil - now))
}

function paceOf({ perSecond, told }: HostState, now: number): number {
  return told && now < told.until ? Math.min(perSecond, told.perSecond) : perSecond
}

function grown(state: HostState, { maxPerSecond }: HostRules): number {
  const { perSecond, refusedAtRate, turns, holdMs } = state
  if (refusedAtRate === null) return Math.min(maxPerSecond, perSecond + Math.LN2 / DOUBLES_IN)
  const climb = Math.max(MIN_CLIMB, (CLIMB_PER_HOLD * holdMs * refusedAtRate) / 1_000)
  // Quickly to a little less than what was refused, and slowly on from there.
  const near = refusedAtRate * LOWER
  const step = Math.max((refusedAtRate - near) / climb, (near - perSecond) / NEAR_IN)
  // Past what it refused it goes faster and faster: the host takes more than it did.
  const past = Math.max(0, turns - 1.5 * climb) / (climb / 4)
  return Math.min(maxPerSecond, perSecond + step * 2 ** Math.min(past, 10))
}

/** It has said what its limit is. */
export function withHint(state: HostState, now: number, hint: RateLimitHint | undefined): HostState {
  if (!hint) return state
  const { remaining, resetMs } = hint
  const until = now + resetMs
  if (remaining > 0) return { ...state, told: { perSecond: (remaining * 1_000) / Math.max(1, resetMs), until } }
  return { ...state, told: null, heldUntil: Math.max(state.heldUntil, Math.min(until, now + MAX_RETRY_AFTER_MS)) }
}

/** Between half of it and all of it, so that many waiters do not come back at once. */
function jittered(ms: number, random: number): number {
  return ms / 2 + (ms / 2) * random
}
