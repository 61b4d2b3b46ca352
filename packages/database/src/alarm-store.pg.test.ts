import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { AlarmStore, type StoredAlarm } from './alarm-store.ts'
import { migrate } from './migrate.ts'
import { openDatabase } from './open-database.ts'

const alarm: StoredAlarm = {
  code: 'lag',
  subject: 's g',
  severity: 'ticket',
  message: 'it is late',
  meaning: 'It is.',
  command: 'millrace lag',
  since: 1_790_000_000_123,
  seenAt: 1_790_000_060_000,
  openedAt: null,
  endedAt: null,
  told: {},
}

pgTest(
  'alarms are kept as they are, and those that are not among them any more are forgotten',
  async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    const store = new AlarmStore(database)
    const opened = {
      ...alarm,
      code: 'gap-open',
      subject: '',
      openedAt: 1_790_000_001_000,
      told: { one: 1_790_000_002_000 },
    }
    await store.replaceAlarms([alarm, opened])
    const byCode = async () => (await store.alarms()).toSorted((a, b) => a.code.localeCompare(b.code))
    expect(await byCode()).toEqual([opened, alarm])
    const ended = { ...alarm, openedAt: alarm.since, endedAt: alarm.since + 1 }
    await store.replaceAlarms([ended])
    expect(await byCode()).toEqual([ended])
    await store.replaceAlarms([])
    expect(await byCode()).toEqual([])
  },
)

pgTest('a silence holds until it ends, or is taken back', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  const store = new AlarmStore(database)
  const silence = { code: 'lag', subject: null, reason: 'a test', who: 'me' }
  const hour = new Date(Date.now() + 3_600_000)
  await store.silence({ ...silence, expiresAt: new Date(Date.now() - 1_000) })
  await store.silence({ ...silence, expiresAt: hour })
  const one = { ...silence, subject: 's g', expiresAt: hour }
  await store.silence(one)
  const createdAt: unknown = expect.any(Date)
  expect(await store.silences()).toEqual([
    { ...one, createdAt },
    { ...silence, createdAt, expiresAt: hour },
  ])
  expect([await store.unsilence(silence), await store.unsilence(silence)]).toEqual([1, 0])
  expect(await store.silences()).toEqual([{ ...one, createdAt }])
})
