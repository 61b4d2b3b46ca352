import type { Logger } from '@millrace/stream-protocol'

const write =
  (level: string) =>
  (fields: object, message: string): void =>
    console.error(level, message, fields)

/** Only what went wrong: it would explain a number. */
export const stderrLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: write('warn'),
  error: write('error'),
  child: () => stderrLogger,
}
