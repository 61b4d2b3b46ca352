import { HostBusyError } from '@millrace/repo-backfill'
import { expect, test } from 'vitest'
import { PausablePacer } from './pausable-pacer.ts'

test('a host that is paused is not asked, and others are', async () => {
  const paused = new Map([['pds.test', Number.POSITIVE_INFINITY]])
  const pacer = new PausablePacer({ pauses: { leftMs: (_kind, name) => paused.get(name) ?? 0 } })
  const busy = await pacer.take('https://pds.test').catch((error: unknown) => error)
  expect(busy).toBeInstanceOf(HostBusyError)
  // Whoever waits comes back within seconds: it may be resumed any time.
  expect(busy).toMatchObject({ host: 'https://pds.test', waitMs: 20_000 })
  expect(pacer.waitMs('https://pds.test')).toBe(20_000)
  await pacer.take('https://other.test')
  paused.set('pds.test', 5_000)
  expect(pacer.waitMs('https://pds.test')).toBe(5_000)
  paused.clear()
  await pacer.take('https://pds.test')
})
