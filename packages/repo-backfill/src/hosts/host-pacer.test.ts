import { MemoryState } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { HostBusyError, HostPacer, type HostPacerOptions } from './host-pacer.ts'
import type { HostState } from './host-state.ts'

const HOST = 'https://pds.example'

/** A host that takes so many requests a second and says nothing of it before it has refused one. */
class LimitedHost {
  perSecond: number
  taken = 0
  refused = 0
  #tokens: number
  #at = 0
  readonly #burst: number
  readonly #retryAfter: string | undefined

  constructor({ perSecond, burst = 5, retryAfter }: { perSecond: number; burst?: number; retryAfter?: string }) {
    this.perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
    this.#retryAfter = retryAfter
  }

  ask(now: number): { status: number; headers: Headers } {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.perSecond) / 1_000)
    this.#at = now
    if (this.#tokens < 1) {
      this.refused++
      return { status: 429, headers: new Headers(this.#retryAfter ? { 'retry-after': this.#retryAfter } : {}) }
    }
    this.#tokens--
    this.taken++
    return { status: 200, headers: new Headers() }
  }
}

/** Lets clients ask a host as fast as their pacers let them, in a time of its own; an answer takes 40 ms. */
async function play(
  clients: readonly { pacer: HostPacer; priority?: number; taken?: number }[],
  host: LimitedHost,
  clock: { now: number },
  seconds: number,
): Promise<void> {
  const back = clients.map(() => clock.now)
  const answers: { at: number; tell: () => Promise<void> }[] = []
  for (const end = clock.now + seconds * 1_000; clock.now < end; clock.now++) {
    while (answers[0] && answers[0].at <= clock.now) await answers.shift()!.tell()
    for (let n = 0; n < clients.length; n++) {
      // None is always the first to come.
      const index = (n + clock.now) % clients.length
      if (back[index]! > clock.now) continue
      const client = clients[index]!
      const { pacer, priority } = client
      try {
        await pacer.take(HOST, priority)
      } catch (error) {
        if (!(error instanceof HostBusyError)) throw error
        back[index] = clock.now + error.waitMs
        continue
      }
      const askedAt = clock.now
      const answer = host.ask(askedAt)
      if (answer.status === 200) client.taken = (client.taken ?? 0) + 1
      const tell = async (): Promise<void> => {
        await pacer.answered(HOST, { askedAt }, answer)
        if (answer.status === 200) await pacer.succeeded(HOST, { askedAt })
      }
      answers.push({ at: askedAt + 40, tell })
    }
  }
}

const refusedOf = ({ taken, refused }: LimitedHost): number => refused / (taken + refused)
const pacerWith = (clock: { now: number }, options: HostPacerOptions = {}): HostPacer =>
  new HostPacer({ now: () => clock.now, random: () => 0.5, ...options })

describe('a host with a limit that it does not tell', () => {
  test.each([
    { perSecond: 3, seconds: 900 },
    { perSecond: 50 },
    { perSecond: 50, retryAfter: '1' },
    { perSecond: 400, burst: 20 },
    { perSecond: 10, burst: 100, retryAfter: '5' },
  ])(
    '%o: nine tenths of it and more are used, less than a hundredth is refused',
    { timeout: 120_000 },
    async ({ seconds = 300, ...limit }) => {
      const clock = { now: 1_000_000 }
      const host = new LimitedHost(limit)
      await play([{ pacer: pacerWith(clock) }], host, clock, seconds)
      expect(host.taken / (seconds * limit.perSecond)).toBeGreaterThan(0.9)
      expect(refusedOf(host)).toBeLessThan(0.01)
    },
  )

  test('two that share what they learn keep within it together, each with a part of it', async () => {
    const clock = { now: 1_000_000 }
    const host = new LimitedHost({ perSecond: 50 })
    const states = new MemoryState<HostState>({ now: () => clock.now })
    const clients = [0, 1].map(() => ({ pacer: pacerWith(clock, { states }), taken: 0 }))
    await play(clients, host, clock, 300)
    expect(host.taken / (300 * 50)).toBeGreaterThan(0.9)
    expect(refusedOf(host)).toBeLessThan(0.01)
    for (const { taken } of clients) expect(taken / host.taken).toBeGreaterThan(0.3)
  })

  test('one that lowers it is followed, and one that raises it as well', async () => {
    const clock = { now: 1_000_000 }
    const host = new LimitedHost({ perSecond: 50 })
    const pacer = pacerWith(clock)
    await play([{ pacer }], host, clock, 60)
    const during = async (perSecond: number): Promise<{ used: number; refused: number }> => {
      host.perSecond = perSecond
      await play([{ pacer }], host, clock, 120)
      const before = { taken: host.taken, refused: host.refused }
      await play([{ pacer }], host, clock, 60)
      return { used: (host.taken - before.taken) / (60 * perSecond), refused: host.refused - before.refused }
    }
    for (const perSecond of [10, 100]) {
      const { used, refused } = await during(perSecond)
      expect(used).toBeGreaterThan(0.9)
      expect(refused).toBeLessThan(0.01 * 60 * perSecond)
    }
  })

  test('shared by four kinds of work: the more urgent gets more, and none is starved', async () => {
    const clock = { now: 1_000_000 }
    const host = new LimitedHost({ perSecond: 30 })
    const pacer = pacerWith(clock)
    const clients = [3, 2, 1, 0].map((priority) => ({ pacer, priority, taken: 0 }))
    await play(clients, host, clock, 120)
    const shares = clients.map(({ taken }) => taken / host.taken)
    for (const [index, expected] of [1 / 15, 2 / 15, 4 / 15, 8 / 15].entries())
      expect(shares[index]).toBeCloseTo(expected, 1)
    expect(host.taken / (120 * 30)).toBeGreaterThan(0.9)
  })
})

test('a host that nothing is known of, and that refuses nothing, is asked for dozens of repos in a second', async () => {
  const clock = { now: 1_000_000 }
  const host = new LimitedHost({ perSecond: 100_000, burst: 1_000 })
  await play([{ pacer: pacerWith(clock) }], host, clock, 1)
  expect(host.taken).toBeGreaterThan(40)
})

test('a host that says what is left is asked no more than that, evenly, until its limit begins anew', async () => {
  const clock = { now: 1_000_000 }
  const pacer = pacerWith(clock, { startPerSecond: 100 })
  await pacer.take(HOST)
  const headers = new Headers({ 'ratelimit-limit': '3000', 'ratelimit-remaining': '20', 'ratelimit-reset': '10' })
  await pacer.answered(HOST, { askedAt: clock.now }, { status: 200, headers })
  const taken: number[] = []
  for (const end = clock.now + 10_000; clock.now < end; clock.now++)
    await pacer.take(HOST).then(
      () => taken.push(clock.now),
      () => undefined,
    )
  expect(taken.length).toBeGreaterThan(17)
  expect(taken.length).toBeLessThan(22)
})

test('a host that has nothing left is not asked before its limit begins anew', async () => {
  const clock = { now: 1_700_000_000_000 }
  const pacer = pacerWith(clock)
  const headers = new Headers({ 'ratelimit-remaining': '0', 'ratelimit-reset': '1700000030' })
  await pacer.answered(HOST, { askedAt: clock.now }, { status: 200, headers })
  await expect(pacer.take(HOST)).rejects.toMatchObject({ name: 'HostBusyError', host: HOST, waitMs: 30_000 })
})

describe('a host that fails', () => {
  const open = async (pacer: HostPacer, clock: { now: number }): Promise<number> => {
    for (const from = clock.now; ; clock.now++)
      if (
        await pacer.take(HOST).then(
          () => true,
          () => false,
        )
      )
        return clock.now - from
  }

  test('is left alone, longer each time, and then one request finds out whether it is back (B5)', async () => {
    const clock = { now: 1_000_000 }
    const pacer = pacerWith(clock, { random: () => 1, backoff: { minMs: 1_000, maxMs: 3_000 } })
    const waits: number[] = []
    for (let n = 0; n < 4; n++) {
      await pacer.failed(HOST, { askedAt: clock.now })
      waits.push(await open(pacer, clock))
      await expect(pacer.take(HOST)).rejects.toBeInstanceOf(HostBusyError)
    }
    expect(waits).toEqual([1_000, 2_000, 3_000, 3_000])
    await pacer.succeeded(HOST, { askedAt: clock.now })
    for (let n = 0; n < 5; n++) expect(await open(pacer, clock)).toBeLessThan(200)
  })

  test('is asked again when the one that should find out did not get to ask', async () => {
    const clock = { now: 1_000_000 }
    const pacer = pacerWith(clock)
    await pacer.failed(HOST, { askedAt: clock.now })
    await open(pacer, clock)
    await pacer.giveBack(HOST)
    await pacer.take(HOST)
  })

  test('is asked by whoever comes first once it may be, also where turns are left for others (B5)', async () => {
    const clock = { now: 1_000_000 }
    const pacer = pacerWith(clock, { random: () => 1, backoff: { minMs: 1_000 } })
    await pacer.failed(HOST, { askedAt: clock.now })
    // Somebody more urgent was sent away, and does not come back in time.
    await expect(pacer.take(HOST, 0)).rejects.toBeInstanceOf(HostBusyError)
    clock.now += 1_000
    await pacer.take(HOST, 3)
    await pacer.succeeded(HOST, { askedAt: clock.now })
    clock.now += 100
    await pacer.take(HOST, 0)
  })

  test('has failed once when requests that ran side by side fail together', async () => {
    const clock = { now: 1_000_000 }
    const pacer = pacerWith(clock, { random: () => 1, backoff: { minMs: 1_000 } })
    for (let n = 0; n < 5; n++) await pacer.failed(HOST, { askedAt: 999_000 + n })
    expect(await open(pacer, clock)).toBe(1_000)
  })

  test('is left alone as long as it asks, by all who share it, and after a restart', async () => {
    const clock = { now: 1_000_000 }
    const states = new MemoryState<HostState>({ now: () => clock.now })
    const headers = new Headers({ 'retry-after': '20' })
    await pacerWith(clock, { states }).answered(HOST, { askedAt: clock.now }, { status: 503, headers })
    expect(await open(pacerWith(clock, { states }), clock)).toBe(20_000)
  })

  test('is as slow as it was when what is shared cannot be read', async () => {
    const clock = { now: 1_000_000 }
    const states = new MemoryState<HostState>({ now: () => clock.now })
    const errors: unknown[] = []
    const away = { change: () => Promise.reject(new Error('the database is away')) }
    let current: Pick<MemoryState<HostState>, 'change'> = states
    const pacer = pacerWith(clock, {
      states: { change: (name, change) => current.change(name, change) },
      onError: (error) => errors.push(error),
      random: () => 1,
    })
    await pacer.failed(HOST, { askedAt: clock.now })
    current = away
    expect(await open(pacer, clock)).toBe(1_000)
    expect(errors).toHaveLength(1)
  })
})
