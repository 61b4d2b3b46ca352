import { AdminError, type AdminApi } from '@millrace/admin-api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Answers } from './answers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setting(answer: () => unknown = () => ({ gaps: [] })) {
  const asked: string[] = []
  const api = {
    call: async (name: string) => {
      asked.push(name)
      return answer()
    },
  } as AdminApi
  let isThere = true
  let changed = (): void => undefined
  const answers = new Answers({
    api,
    attention: { isThere: () => isThere, onChange: (listener) => void (changed = listener) },
  })
  const look = (there: boolean): void => {
    isThere = there
    changed()
  }
  return { answers, asked, look }
}

test('asks again and again as long as somebody watches, and once for all who do', async () => {
  const { answers, asked } = setting()
  const stops = [1_000, 5_000].map((everyMs) => answers.watch('listGaps', {}, everyMs, () => undefined))
  await vi.advanceTimersByTimeAsync(3_500)
  expect(asked).toHaveLength(4)
  for (const stop of stops) stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(4)
})

test('does not ask while nobody looks, and at once when somebody does again', async () => {
  const { answers, asked, look } = setting()
  answers.watch('listGaps', {}, 1_000, () => undefined)
  await vi.advanceTimersByTimeAsync(0)
  look(false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(1)
  look(true)
  await vi.advanceTimersByTimeAsync(2_500)
  expect(asked).toHaveLength(4)
})

test('keeps the last good answer through a failure, and says why there is no newer one', async () => {
  let isWell = true
  const { answers } = setting(() => {
    if (isWell) return { gaps: [] }
    throw new AdminError(503, 'Unavailable', 'the database: it is away\u202E')
  })
  answers.watch('listGaps', {}, 1_000, () => undefined)
  await vi.advanceTimersByTimeAsync(0)
  isWell = false
  await vi.advanceTimersByTimeAsync(1_000)
  expect(answers.peek('listGaps', {})).toMatchObject({
    value: { gaps: [] },
    failure: { error: 'Unavailable', message: 'the database: it is away⟨202E⟩', isUnauthorized: false },
  })
  isWell = true
  await vi.advanceTimersByTimeAsync(1_000)
  expect(answers.peek('listGaps', {}).failure).toBeUndefined()
})

test('an answer that comes after nobody watches any more begins nothing', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const { answers, asked } = setting(() => promise)
  const stop = answers.watch('listGaps', {}, 1_000, () => undefined)
  stop()
  resolve({ gaps: [] })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(1)
})

test('who does not answer is told from who refuses', async () => {
  const { answers } = setting(() => {
    throw new TypeError('failed to fetch')
  })
  answers.watch('listGaps', {}, 1_000, () => undefined)
  await vi.advanceTimersByTimeAsync(0)
  expect(answers.peek('listGaps', {}).failure).toEqual({
    message: 'The admin server does not answer.',
    isUnauthorized: false,
  })
})
