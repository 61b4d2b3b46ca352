import { Command, InvalidArgumentError } from 'commander'
import { formatTable } from '@millrace/testing/results'
import type { Benchmark } from './benchmark.ts'
import { backfillBenchmark } from './backfill/backfill-benchmark.ts'
import { indexerBenchmark } from './indexer/indexer-benchmark.ts'
import { ingestBenchmark } from './ingest/ingest-benchmark.ts'
import { pacingBenchmark } from './pacing/pacing-benchmark.ts'
import { redisBenchmark } from './redis-benchmark.ts'
import { repairBenchmark } from './repair/repair-benchmark.ts'
import { toolsBenchmark } from './tools/tools-benchmark.ts'

interface Flags {
  events?: number
  rounds: number
  only?: string[]
  json: boolean
}

const benchmarks: readonly Benchmark[] = [
  indexerBenchmark,
  ingestBenchmark,
  backfillBenchmark,
  repairBenchmark,
  toolsBenchmark,
  pacingBenchmark,
  redisBenchmark,
]

const program = new Command('bench')
  .description('Benchmarks. Numbers of one run may be compared, those of different machines or days may not.')
  .argument('<names...>', `what to measure: ${benchmarks.map(({ name }) => name).join(', ')}`)
  .option('--events <count>', 'events of the workload (default: see below)', count)
  .option('--rounds <count>', 'how often ratios are measured', count, 3)
  .option('--only <parts>', 'parts to measure, with commas between them', (text) => text.split(','))
  .option('--json', 'print one JSON object a line: {name, value, unit, goal, pass}', false)
  .addHelpText('after', `\n${benchmarks.map(describe).join('\n')}\n`)
  .action(measure)

await program.parseAsync()

async function measure(names: string[], { events, rounds, only, json }: Flags): Promise<void> {
  const chosen = names.map((name) => find(benchmarks, name, 'benchmark'))
  for (const benchmark of chosen) {
    const parts = only?.map((part) => find(benchmark.parts, part, 'part')) ?? benchmark.parts
    const onProgress = (text: string) => void process.stderr.write(`${text}\n`)
    for await (const results of benchmark.run({ events: events ?? benchmark.events, rounds, parts, onProgress })) {
      if (json) for (const result of results) console.log(JSON.stringify(result))
      else console.log(`\n${formatTable(results)}\n`)
      if (results.some(({ pass }) => !pass)) process.exitCode = 1
    }
  }
}

function find<T extends string | Benchmark>(known: readonly T[], name: string, kind: string): T {
  const nameOf = (value: string | Benchmark) => (typeof value === 'string' ? value : value.name)
  const found = known.find((value) => nameOf(value) === name)
  return found ?? program.error(`no ${kind} ${name}: there are ${known.map(nameOf).join(', ')}`)
}

function describe({ name, summary, events, parts }: Benchmark): string {
  const more = parts.length > 0 ? `; --only ${parts.join(',')}` : ''
  return `  ${name.padEnd(8)} ${summary}\n  ${''.padEnd(8)} --events ${events}${more}`
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It has to be a whole number above 0.')
  return value
}
