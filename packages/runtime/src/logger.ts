import { Writable } from 'node:stream'
import type { Logger } from '@millrace/stream-protocol'
import { pino } from 'pino'
import pretty from 'pino-pretty'
import { cleanFields } from './log-fields.ts'
import { LogSampler } from './log-sampler.ts'
import { oneLine } from './redact.ts'

/** From which level on lines are written. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export interface LoggerOptions {
  /** The process, e.g. `ingester`. It stands in every line. */
  name: string
  /** @default 'info' */
  level?: LogLevel
  /** Lines for eyes instead of JSON: for a terminal. @default false */
  pretty?: boolean
  /** Where lines go. @default standard output, written at once so that the last lines before an end are not lost */
  destination?: { write(line: string): unknown }
}

type Level = 'debug' | 'info' | 'warn' | 'error'

/**
 * Writes one JSON object a line: bounded, control characters escaped, passwords of connection strings taken out
 * (hazards O4, M9). Warnings and errors that repeat are written 20 times in 10 s; the next line of the kind has a
 * field `leftOut` with the number of the rest.
 */
export function createLogger({ name, level = 'info', pretty: isPretty = false, destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    name,
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // Errors are plain objects when they arrive here.
    serializers: { err: (value: unknown) => value },
  }
  const sink = isPretty
    ? pretty({ sync: true, ignore: 'pid,hostname,name', translateTime: 'SYS:HH:MM:ss.l', ...writeTo(destination) })
    : (destination ?? pino.destination({ fd: 1, sync: true }))
  return wrap(pino(options, sink), new LogSampler(), '')
}

function writeTo(destination: LoggerOptions['destination']) {
  if (!destination) return {}
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      destination.write(chunk.toString())
      done()
    },
  })
  return { destination: stream }
}

function wrap(log: pino.Logger, sampler: LogSampler, component: string): Logger {
  const write = (level: Level, fields: object, message: string): void => {
    if (!log.isLevelEnabled(level)) return
    const line = oneLine(message)
    if (level === 'debug' || level === 'info') return log[level](cleanFields(fields), line)
    const { write, leftOut } = sampler.take(`${level} ${component} ${line}`, performance.now())
    if (write) log[level]({ ...cleanFields(fields), ...(leftOut > 0 && { leftOut }) }, line)
  }
  return {
    debug: (fields, message) => write('debug', fields, message),
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
    child: (bindings) =>
      wrap(
        log.child(cleanFields(bindings)),
        sampler,
        `${component} ${Object.values(bindings).join(' ').slice(0, 200)}`,
      ),
  }
}
