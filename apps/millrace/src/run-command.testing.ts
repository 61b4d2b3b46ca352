import type { Environment } from '@millrace/runtime'
import type { CommandHost } from './command-host.ts'

/** Runs a command in this process, with this environment alone. @returns its exit code, and what it printed. */
export async function runCommand(
  env: Environment,
  command: (host: CommandHost) => Promise<number>,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' }
  const code = await command({
    env,
    stdout: { write: (text) => (output.stdout += text) },
    stderr: { write: (text) => (output.stderr += text) },
    signal,
  })
  return { code, ...output }
}
