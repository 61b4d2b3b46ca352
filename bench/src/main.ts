import { Command, InvalidArgumentError } from 'commander'
import { formatTable } from '@millrace/testing/results'
import type { Benchmark } from './benchmark.ts'
import { indexerBenchmark } from './indexer-benchmark.ts'
import { redisBenchmark } from './redis-benchmark.ts'

const benchmarks: readonly Benchmark[] = [indexerBenchmark, redisBenchmark]

const program = new Command('bench')
  .description('Benchmarks. Numbers of one run may be compared, those of different machines or days may not.')
  .argument('<names...>', `what to measure: ${benchmarks.map(({ name }) => name).join(', ')}`)
  .option('--events <count>', 'events of the workload', count, 20_000)
  .option('--rounds <count>', 'how often everything is measured', count, 3)
  .option('--json', 'print one JSON object a line: {name, value, unit, goal, pass}', false)
  .addHelpText('after', `\n${benchmarks.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join('\n')}\n`)
  .action(measure)

await program.parseAsync()

async function measure(names: string[], options: { events: number; rounds: number; json: boolean }): Promise<void> {
  const chosen = names.map((name) => {
    const benchmark = benchmarks.find((known) => known.name === name)
    return (
      benchmark ?? program.error(`no benchmark ${name}: there are ${benchmarks.map(({ name }) => name).join(', ')}`)
    )
  })
  for (const benchmark of chosen) {
    const onProgress = (text: string) => void process.stderr.write(`${text}\n`)
    const results = await benchmark.run({ events: options.events, rounds: options.rounds, onProgress })
    if (options.json) for (const result of results) console.log(JSON.stringify(result))
    else console.log(`\n${formatTable(results)}`)
    if (results.some(({ pass }) => !pass)) process.exitCode = 1
  }
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It has to be a whole number above 0.')
  return value
}
