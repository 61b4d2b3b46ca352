import { silentLogger, type Logger } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { ConsumerJanitor } from './consumer-janitor.ts'
import { createMeter, createRegistry } from './meter.ts'

test('asks for consumers of every group that are idle for a day, and counts them (S9)', async () => {
  const registry = createRegistry({ processMetrics: false })
  const asked: unknown[] = []
  const janitor = new ConsumerJanitor({
    store: {
      removeIdleConsumers: (...args) => {
        asked.push(args)
        return Promise.resolve(args[0] === 'a' ? ['x', 'y'] : [])
      },
    },
    groups: [
      { stream: 'a', group: 'g' },
      { stream: 'b', group: 'h' },
    ],
    meter: createMeter(registry),
  })
  await janitor.clean()
  expect(asked).toEqual([
    ['a', 'g', 86_400_000],
    ['b', 'h', 86_400_000],
  ])
  const text = await registry.metrics()
  expect(text).toContain('millrace_stream_consumers_removed_total{stream="a",group="g"} 2')
  expect(text).toContain('millrace_stream_consumers_removed_total{stream="b",group="h"} 0')
})

test('a store that does not answer ends nothing (G11)', async () => {
  const warnings: string[] = []
  const logger: Logger = {
    ...silentLogger,
    warn: (_fields, message) => void warnings.push(message),
    child: () => logger,
  }
  const stop = new AbortController()
  const janitor = new ConsumerJanitor({
    store: {
      removeIdleConsumers: () => {
        stop.abort()
        return Promise.reject(new Error('away'))
      },
    },
    groups: [{ stream: 'a', group: 'g' }],
    logger,
  })
  await janitor.run(stop.signal)
  expect(warnings).toEqual(['cannot look for consumers that are gone now'])
})
