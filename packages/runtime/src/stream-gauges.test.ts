import { sleep, type StreamStatus, type StreamStore } from '@millrace/stream-protocol'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createMeter, createRegistry } from './meter.ts'
import { ageSeconds, StreamGauges } from './stream-gauges.ts'

/** A store as far as the gauges use it. */
function storeOf(status: () => Promise<StreamStatus[]>): StreamStore {
  const unused = () => {
    throw new Error('not used here')
  }
  return {
    kind: 'sqlite',
    location: 'nowhere',
    cursors: { get: unused, set: unused, delete: unused },
    writer: unused,
    consumer: unused,
    ensureGroup: unused,
    removeIdleConsumers: unused,
    read: unused,
    pending: unused,
    describe: unused,
    ping: unused,
    status,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function measuredOnce(status: () => Promise<StreamStatus[]>): Promise<string> {
  const registry = createRegistry({ processMetrics: false })
  const gauges = new StreamGauges({ store: storeOf(status), streams: ['a', 'b'], meter: createMeter(registry) })
  const stop = new AbortController()
  const run = gauges.run(stop.signal)
  await sleep(5)
  stop.abort()
  await run
  return registry.metrics()
}

test('exports length, pending, undelivered and ages (O3)', async () => {
  // The ages are told by our clock, which must neither go on nor be set back meanwhile.
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const text = await measuredOnce(() =>
    Promise.resolve([
      {
        stream: 'a',
        length: 7,
        firstId: `${Date.now() - 60_000}-0`,
        lastId: `${Date.now()}-0`,
        groups: [
          {
            name: 'g',
            pending: 3,
            undelivered: null,
            oldestPendingId: `${Date.now() - 30_000}-0`,
            lastDeliveredId: '0-0',
            consumers: [{ name: 'one', pending: 3, idleMs: 5 }],
          },
        ],
      },
    ]),
  )
  expect(text).toContain('millrace_stream_length{stream="a"} 7')
  expect(text).toContain('millrace_stream_length{stream="b"} 0')
  expect(text).toContain('millrace_stream_pending{stream="a",group="g"} 3')
  expect(text).not.toContain('millrace_stream_undelivered{')
  expect(text).toMatch(/oldest_pending_age_seconds\{stream="a",group="g"\} 30$/m)
  expect(text).toMatch(/oldest_entry_age_seconds\{stream="a"\} 60$/m)
  expect(text).toContain('millrace_stream_status_up 1')
})

test('a store that does not answer is shown, and ends nothing', async () => {
  expect(await measuredOnce(() => Promise.reject(new Error('away')))).toContain('millrace_stream_status_up 0')
})

test('ages are never negative', () => {
  expect(ageSeconds('2000-0', 1_000)).toBe(0)
  expect(ageSeconds(null, 1_000)).toBe(0)
})
