import { openDatabase } from '@millrace/database'
import { noMeter, type Gauge } from '@millrace/stream-protocol'
import { createLogSpy, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { ClockWatch, type ClockWatchOptions } from './clock-watch.ts'

/** What a watch tells in one look at the clocks. */
async function look({ eventLeadMs, ...options }: Omit<ClockWatchOptions, 'logger' | 'meter' | 'everyMs'>) {
  const skews: Record<string, number> = {}
  const gauge: Gauge = { set: (value, { against = '' } = {}) => void (skews[against] = value) }
  const logger = createLogSpy()
  const stop = new AbortController()
  const watch = new ClockWatch({
    ...options,
    // Events are looked at last.
    eventLeadMs: () => {
      stop.abort()
      return eventLeadMs?.()
    },
    logger,
    meter: { ...noMeter, gauge: () => gauge },
  })
  expect(skews).toEqual({ postgres: 0, events: 0 })
  await watch.run(stop.signal)
  const alarms = logger.entries.filter(({ level }) => level === 'error').map(({ fields }) => fields)
  return { skews, alarms, warnings: logger.messages('warn') }
}

const minutes = 60_000

describe('our clock is compared with that of Postgres (J13)', () => {
  pgTest('and no alarm is raised while they agree', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    const { skews, alarms } = await look({ database })
    expect(Math.abs(skews['postgres']!)).toBeLessThan(60)
    expect(alarms).toEqual([])
  })

  for (const [where, offMs] of [
    ['ahead', 5 * minutes],
    ['behind', -5 * minutes],
  ] as const)
    pgTest(`and an alarm is raised when it is five minutes ${where}`, async ({ databaseUrl }) => {
      await using database = await openDatabase({ url: databaseUrl })
      const { skews, alarms } = await look({ database, now: () => Date.now() + offMs })
      expect(Math.abs(skews['postgres']! - offMs / 1_000)).toBeLessThan(60)
      expect(alarms).toMatchObject([{ against: 'postgres', alarm: 'clock-skew', skewSeconds: expect.any(Number) }])
    })

  pgTest('which may be away', async ({ databaseUrl }) => {
    const database = await openDatabase({ url: databaseUrl })
    await database[Symbol.asyncDispose]()
    const { alarms, warnings } = await look({ database })
    expect(alarms).toEqual([])
    expect(warnings).toHaveLength(1)
  })
})

describe('our clock is compared with the times of events (J13)', () => {
  for (const { name, lead, skew, alarms } of [
    { name: 'all of them are three minutes of the future', lead: 3 * minutes, skew: -180, alarms: 1 },
    { name: 'they are a minute of the future', lead: minutes, skew: -60, alarms: 0 },
    { name: 'they have waited for hours', lead: -300 * minutes, skew: 0, alarms: 0 },
    { name: 'there were none', lead: undefined, skew: 0, alarms: 0 },
  ])
    pgTest(`${name}: ${skew} s, ${alarms} alarms`, async ({ databaseUrl }) => {
      await using database = await openDatabase({ url: databaseUrl })
      const told = await look({ database, eventLeadMs: () => lead })
      expect(told.skews['events']! + 0).toBe(skew)
      expect(told.alarms).toHaveLength(alarms)
    })
})
