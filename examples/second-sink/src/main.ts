import { describeError } from '@millrace/runtime'
import { help, readOptions, type Options } from './options.ts'
import { runSecondSink } from './run-second-sink.ts'

const say = (text: string): void => void process.stderr.write(`second-sink: ${text}\n`)
const print = (text: string): void => void process.stdout.write(text)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

let options: Options | 'help' | undefined
try {
  options = readOptions(process.argv.slice(2))
} catch (error) {
  say(`${(error as Error).message}\n\n${help}`)
  process.exitCode = 2
}
if (options === 'help') process.stdout.write(help)
else if (options) {
  try {
    process.exitCode = await runSecondSink(options, { say, print, signal: stop.signal })
  } catch (error) {
    if (!stop.signal.aborted) say(describeError(error))
    process.exitCode = 1
  }
}
