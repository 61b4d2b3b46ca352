import { expect, test } from 'vitest'
import { createMeter, createRegistry } from './meter.ts'

const bare = () => {
  const registry = createRegistry({ processMetrics: false })
  return { registry, meter: createMeter(registry) }
}

test('a counter without labels shows 0 from its registration on (O2)', async () => {
  const { registry, meter } = bare()
  meter.counter('millrace_things_total', 'Things')
  expect(await registry.metrics()).toContain('millrace_things_total 0')
})

test('counts, sets and observes with labels', async () => {
  const { registry, meter } = bare()
  meter.counter('c_total', 'C', ['host']).add(2, { host: 'a' })
  meter.gauge('g', 'G', ['host']).set(3, { host: 'a' })
  meter.histogram('h', 'H', [], [1, 5]).observe(2)
  const text = await registry.metrics()
  expect(text).toContain('c_total{host="a"} 2')
  expect(text).toContain('g{host="a"} 3')
  expect(text).toContain('h_bucket{le="5"} 1')
})

test('one name asked for twice is one instrument', async () => {
  const { registry, meter } = bare()
  meter.counter('c_total', 'C').add(1)
  meter.counter('c_total', 'C').add(1)
  expect(await registry.metrics()).toContain('c_total 2')
})

test('one name for two kinds or label sets is an error', () => {
  const { meter } = bare()
  meter.counter('x', 'X', ['host'])
  expect(() => meter.gauge('x', 'X', ['host'])).toThrow('x is a counter(host) already')
  expect(() => meter.counter('x', 'X', ['stream'])).toThrow('asked for as a counter(stream)')
})

test('a registry has the metrics of the process', async () => {
  expect(await createRegistry().metrics()).toContain('process_cpu_seconds_total')
})
