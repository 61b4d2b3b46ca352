import type { Counter, Gauge, Histogram, Labels, Meter } from '@millrace/stream-protocol'
import * as prometheus from 'prom-client'

/** Where metrics are collected for Prometheus. */
export type Registry = prometheus.Registry

/** A registry of its own, with the default metrics of the process (CPU, memory, event loop). */
export function createRegistry(options: { processMetrics?: boolean } = {}): Registry {
  const registry = new prometheus.Registry()
  if (options.processMetrics ?? true) prometheus.collectDefaultMetrics({ register: registry })
  return registry
}

interface Registered {
  readonly shape: string
  readonly instrument: Counter | Gauge | Histogram
}

/**
 * The `Meter` port over prom-client. Instruments are registered when they are asked for, and those without labels
 * show 0 from then on (hazard O2). One name is one instrument, in all the parts that ask for it.
 * @throws {Error} when a name is asked for again as another kind or with other labels.
 */
export function createMeter(registry: Registry): Meter {
  const registered = new Map<string, Registered>()
  const once = <T extends Counter | Gauge | Histogram>(
    kind: string,
    name: string,
    labels: readonly string[],
    make: () => T,
  ): T => {
    const shape = `${kind}(${labels.toSorted().join(', ')})`
    const existing = registered.get(name)
    if (existing && existing.shape !== shape) {
      throw new Error(`metric ${name} is a ${existing.shape} already, and was asked for as a ${shape}`)
    }
    if (existing) return existing.instrument as T
    const instrument = make()
    registered.set(name, { shape, instrument })
    return instrument
  }
  return {
    counter: (name, help, labels = []) =>
      once('counter', name, labels, () => {
        const counter = new prometheus.Counter({ name, help, labelNames: [...labels], registers: [registry] })
        return { add: (value, at?: Labels) => (at ? counter.inc({ ...at }, value) : counter.inc(value)) }
      }),
    gauge: (name, help, labels = []) =>
      once('gauge', name, labels, () => {
        const gauge = new prometheus.Gauge({ name, help, labelNames: [...labels], registers: [registry] })
        return { set: (value, at?: Labels) => (at ? gauge.set({ ...at }, value) : gauge.set(value)) }
      }),
    histogram: (name, help, labels = [], buckets) =>
      once('histogram', name, labels, () => {
        const histogram = new prometheus.Histogram({
          name,
          help,
          labelNames: [...labels],
          registers: [registry],
          ...(buckets && { buckets: [...buckets] }),
        })
        return {
          observe: (value, at?: Labels) => (at ? histogram.observe({ ...at }, value) : histogram.observe(value)),
        }
      }),
  }
}
