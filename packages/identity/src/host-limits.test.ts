import { expect, test } from 'vitest'
import { TemporaryIdentityError } from './errors.ts'
import { HostLimits, type AskOptions, type HostLimitsOptions } from './host-limits.ts'

const slow = 'https://slow.example'
const other = 'https://other.example'

/** Limits with a clock of their own, and short ways to ask. */
function setUp(options: HostLimitsOptions = {}) {
  const clock = { now: 1_000_000 }
  const limits = new HostLimits({ backoff: { minMs: 1_000, maxMs: 60_000 }, now: () => clock.now, ...options })
  return {
    clock,
    /** What became of a question: its answer, or when to come back. */
    async ask(host: string, asking: AskOptions = {}, question = () => Promise.resolve('answer')) {
      try {
        return await limits.ask(host, 'did:web:x', question, asking)
      } catch (error) {
        if (!(error instanceof TemporaryIdentityError) || error.wasAsked) throw error
        return error.retryAfterMs
      }
    },
    async failAt(host: string, error: Partial<ConstructorParameters<typeof TemporaryIdentityError>[2]> = {}) {
      const failure = new TemporaryIdentityError('did:web:x', host, error)
      await limits.ask(host, 'did:web:x', () => Promise.reject(failure)).catch(() => undefined)
    },
  }
}

test('so many are asked in a second, and the others get turns one after the other (D4)', async () => {
  const { ask, clock } = setUp({ perSecond: 2 })
  const answers = [await ask(slow), await ask(slow), await ask(slow), await ask(slow), await ask(slow)]
  expect(answers).toEqual(['answer', 'answer', 500, 1_000, 1_500])
  expect(await ask(other)).toBe('answer')
  clock.now += 500
  expect(await ask(slow)).toBe('answer')
  expect(await ask(slow)).toBe(1_500)
})

test('so many are asked at a time: one that never answers holds no more places than those (D11, S16)', async () => {
  const { ask } = setUp({ concurrency: 2, perSecond: 100 })
  const never = () => new Promise<string>(() => undefined)
  void ask(slow, {}, never)
  void ask(slow, {}, never)
  expect(await ask(slow)).toBe(10)
  expect(await ask(other)).toBe('answer')
})

test('a host that takes its time gives turns further apart', async () => {
  const { ask, clock } = setUp({ concurrency: 1, perSecond: 100 })
  const slowly = async (): Promise<string> => {
    clock.now += 8_000
    return 'answer'
  }
  await ask(slow, {}, slowly)
  void ask(slow, {}, () => new Promise<string>(() => undefined))
  // An eighth of the newest answer.
  expect(await ask(slow)).toBe(1_000)
})

test('a host that fails is left alone, longer each time, and then tried by one question alone', async () => {
  const { ask, clock, failAt } = setUp({ perSecond: 1_000 })
  await failAt(slow)
  const first = (await ask(slow)) as number
  expect(first).toBeGreaterThan(500)
  expect(first).toBeLessThanOrEqual(1_001)
  clock.now += 1_001
  await failAt(slow)
  expect(await ask(slow)).toBeGreaterThan(1_000)
  clock.now += 2_001
  const held = Promise.withResolvers<string>()
  const tried = ask(slow, {}, () => held.promise)
  expect(await ask(slow)).toBeGreaterThan(0)
  held.resolve('well again')
  expect(await tried).toBe('well again')
  const both = [ask(slow), ask(slow)]
  expect(await Promise.all(both)).toEqual(['answer', 'answer'])
})

test('failures of questions that were asked side by side are one', async () => {
  const { ask, clock, failAt } = setUp({ perSecond: 1_000 })
  await Promise.all([failAt(slow), failAt(slow), failAt(slow)])
  clock.now += 1_001
  expect(await ask(slow)).toBe('answer')
})

test('as long as a host asks for it is left alone, but not for ever', async () => {
  const { ask, failAt } = setUp({ perSecond: 1_000 })
  await failAt(slow, { status: 429, retryAfterMs: 90_000 })
  expect(await ask(slow)).toBe(90_001)
  await failAt(other, { status: 503, retryAfterMs: 365 * 86_400_000 })
  expect(await ask(other)).toBe(3_600_001)
})

test('those that are patient leave a quarter to the others, and have turns of their own', async () => {
  const { ask } = setUp({ perSecond: 9 })
  const patient = []
  for (let i = 0; i < 9; i++) patient.push(await ask(slow, { patient: true }))
  expect(patient.filter((answer) => answer === 'answer')).toHaveLength(7)
  expect([await ask(slow), await ask(slow)]).toEqual(['answer', 'answer'])
  expect(Math.round((await ask(slow)) as number)).toBe(111)
})

test('a directory has no limits but those that it asks for, or that it is away', async () => {
  const { ask, failAt } = setUp({ perSecond: 1, concurrency: 1 })
  for (let i = 0; i < 10; i++) expect(await ask(slow, { trusted: true })).toBe('answer')
  await failAt(other)
  expect(await ask(other, { trusted: true })).toBeGreaterThan(500)
})

test('what a directory says of one account holds up no others', async () => {
  const { ask } = setUp()
  const refused = () => Promise.reject(new TemporaryIdentityError('did:plc:x', slow, { status: 403 }))
  await expect(ask(slow, { trusted: true }, refused)).rejects.toMatchObject({ status: 403 })
  expect(await ask(slow, { trusted: true })).toBe('answer')
})

test('hosts beyond number are forgotten, those that are limited are not', async () => {
  const { ask, failAt } = setUp({ perSecond: 1 })
  await failAt(slow, { retryAfterMs: 60_000 })
  for (let i = 0; i < 5_000; i++) await ask(`https://${i}.example`)
  expect(await ask(slow)).toBe(61_000)
  expect(await ask('https://4999.example')).toBe(1_000)
})
