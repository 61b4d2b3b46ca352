import type { Logger } from '@millrace/stream-protocol'

export interface LogEntry {
  level: 'debug' | 'info' | 'warn' | 'error'
  /** With the bindings of the child loggers it came through. */
  fields: Record<string, unknown>
  message: string
}

/** A logger that remembers. Its children write into the same entries. */
export interface LogSpy extends Logger {
  readonly entries: readonly LogEntry[]
  /** Messages of one level, in order. */
  messages(level: LogEntry['level']): string[]
}

export function createLogSpy(): LogSpy {
  const entries: LogEntry[] = []
  const loggerWith = (bindings: Record<string, unknown>): Logger => {
    const write = (level: LogEntry['level']) => (fields: object, message: string) =>
      void entries.push({ level, fields: { ...bindings, ...fields }, message })
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (more) => loggerWith({ ...bindings, ...more }),
    }
  }
  return {
    ...loggerWith({}),
    entries,
    messages: (level) => entries.filter((entry) => entry.level === level).map(({ message }) => message),
  }
}
