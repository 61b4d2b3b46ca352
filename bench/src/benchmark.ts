import type { Result } from '@millrace/testing/results'

export interface BenchmarkOptions {
  events: number
  /** How often everything is measured. Ratios are taken within a round. */
  rounds: number
  /** Told of what goes on, for people to read. */
  onProgress: (text: string) => void
}

export interface Benchmark {
  readonly name: string
  /** One line of help. */
  readonly summary: string
  /** Numbers, the important ones first. Rejects when something could not be measured. */
  run(options: BenchmarkOptions): Promise<Result[]>
}
