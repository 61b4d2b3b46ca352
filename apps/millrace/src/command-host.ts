import { ConfigError, describeError, type Environment } from '@millrace/runtime/command'
import { stopSignal } from './stop-signal.ts'
import type { ProgressOutput } from './up/progress.ts'

/** What a command is given by the process that it runs in. */
export interface CommandHost {
  env: Environment
  /** For what was asked. */
  stdout: Pick<ProgressOutput, 'write'>
  /** For progress and problems. */
  stderr: ProgressOutput
  signal: AbortSignal
}

/** Runs a command in this process, whose exit code is then the command's. Ctrl-C and SIGTERM stop it. */
export async function inThisProcess(run: (host: CommandHost) => Promise<number>): Promise<void> {
  using stop = stopSignal()
  const { env, stdout, stderr } = process
  process.exitCode = await run({ env, stdout, stderr, signal: stop.signal })
}

/**
 * Says why a command failed.
 * @returns its exit code: 2 when it was asked for what does not hold, 3 when something cannot be reached.
 */
export function explainFailure(error: unknown, stderr: Pick<ProgressOutput, 'write'>): 2 | 3 {
  const problems = error instanceof ConfigError ? error.problems : [describeError(error)]
  for (const problem of problems) stderr.write(`millrace: ${problem}\n`)
  return error instanceof ConfigError ? 2 : 3
}
