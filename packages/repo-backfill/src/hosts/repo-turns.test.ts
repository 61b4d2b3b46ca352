import { Random } from '@millrace/dev-network'
import { describe, expect, test } from 'vitest'
import { HostBusyError, HostPacer } from './host-pacer.ts'
import { RepoTurns } from './repo-turns.ts'

const HOST = 'https://pds.example'
const RELAY = 'https://relay.example'
const answerOf = (status: number) => ({ status, headers: new Headers() })

function pacerAt(clock: { now: number }): HostPacer {
  return new HostPacer({ now: () => clock.now, random: () => 0.5, startPerSecond: 1_000 })
}

const turnsOf = (pacer: HostPacer, clock: { now: number }): RepoTurns =>
  new RepoTurns({ pacer, priority: 0, now: () => clock.now })

test('a host that begins much and ends nothing has a few of us, until one has ended (B6)', async () => {
  const clock = { now: 1_000_000 }
  const pacer = pacerAt(clock)
  const ask = async (): Promise<RepoTurns> => {
    clock.now += 1_000
    const turns = turnsOf(pacer, clock)
    await turns.take(HOST)
    await turns.answered(HOST, answerOf(200))
    return turns
  }
  const first = await ask()
  for (let n = 1; n < 8; n++) await ask()
  // As long as the oldest one has lasted.
  await expect(ask()).rejects.toMatchObject({ name: 'HostBusyError', host: HOST, waitMs: 8_000 })
  await first.broke(HOST)
  expect(() => pacer.place(HOST)).not.toThrow()
})

test('who sends on to another host is done with, and who is not asked after all has nobody', async () => {
  const clock = { now: 1_000_000 }
  const pacer = pacerAt(clock)
  for (let n = 0; n < 20; n++) {
    clock.now += 1_000
    const turns = turnsOf(pacer, clock)
    await turns.take(RELAY)
    await turns.answered(RELAY, answerOf(302))
    await using reserved = turnsOf(pacer, clock)
    await reserved.reserve(HOST)
  }
})

/** A host that takes so many requests at a time, and refuses more; each takes some time. */
class CrowdedHost {
  most: number
  readonly #random = new Random(1)
  readonly #ends: number[] = []
  taken = 0
  refused = 0

  constructor(most: number) {
    this.most = most
  }

  /** @returns when it is done; undefined when it is refused. */
  ask(now: number): number | undefined {
    this.#ends.splice(0, Infinity, ...this.#ends.filter((end) => end > now))
    if (this.#ends.length >= this.most) {
      this.refused++
      return undefined
    }
    this.taken++
    const end = now + 100 + this.#random.below(300)
    this.#ends.push(end)
    return end
  }
}

/** Of the time of such a host. */
const STEP_MS = 4

/** Asks as much as is allowed. @returns the share of its places that it had at work. */
async function play(pacer: HostPacer, host: CrowdedHost, clock: { now: number }, seconds: number): Promise<number> {
  let open: { end: number; turns: RepoTurns }[] = []
  let atWork = 0
  let back = 0
  for (const end = clock.now + seconds * 1_000; clock.now < end; clock.now += STEP_MS) {
    for (const { turns } of open.filter((request) => request.end <= clock.now)) await turns.done()
    open = open.filter((request) => request.end > clock.now)
    atWork += open.length * STEP_MS
    // Many wait, and come as soon as one has gone.
    if (back > clock.now && pacer.waitMs(HOST) > 0) continue
    for (let isBusy = false; !isBusy;) {
      const turns = turnsOf(pacer, clock)
      try {
        await turns.take(HOST)
      } catch (error) {
        if (!(error instanceof HostBusyError)) throw error
        back = clock.now + Math.min(20, error.waitMs)
        isBusy = true
        continue
      }
      const done = host.ask(clock.now)
      await turns.answered(HOST, answerOf(done === undefined ? 429 : 200))
      if (done !== undefined) open.push({ end: done, turns })
    }
  }
  for (const { turns } of open) await turns.done()
  return atWork / (seconds * 1_000) / host.most
}

describe('a host that takes so much at a time, and does not tell', () => {
  test.each([3, 12, 40])('%d: nine tenths of it are used, less than a hundredth is refused', async (most) => {
    const clock = { now: 1_000_000 }
    const host = new CrowdedHost(most)
    const pacer = pacerAt(clock)
    await play(pacer, host, clock, 60)
    const before = { taken: host.taken, refused: host.refused }
    expect(await play(pacer, host, clock, 60)).toBeGreaterThan(0.9)
    const refused = host.refused - before.refused
    expect(refused / (host.taken - before.taken + refused)).toBeLessThan(0.01)
  })

  test('one that takes more than it did is found out', async () => {
    const clock = { now: 1_000_000 }
    const host = new CrowdedHost(5)
    const pacer = pacerAt(clock)
    await play(pacer, host, clock, 30)
    host.most = 20
    await play(pacer, host, clock, 180)
    expect(await play(pacer, host, clock, 30)).toBeGreaterThan(0.9)
  })
})
