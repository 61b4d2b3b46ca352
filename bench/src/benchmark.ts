import type { Result } from '@millrace/testing/results'

export interface BenchmarkOptions {
  events: number
  /** How often ratios and speeds are measured. Ratios are taken within a round. */
  rounds: number
  /** Parts to measure, of those that the benchmark has. */
  parts: readonly string[]
  /** Told of what goes on, for people to read. */
  onProgress: (text: string) => void
}

export interface Benchmark {
  readonly name: string
  /** One line of help. */
  readonly summary: string
  /** Events unless it is told otherwise. */
  readonly events: number
  /** What can be measured alone. */
  readonly parts: readonly string[]
  /** Numbers, part by part, the important ones first. Throws when something could not be measured. */
  run(options: BenchmarkOptions): AsyncIterable<Result[]>
}
