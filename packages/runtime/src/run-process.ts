import { packageVersion } from './package-version.ts'
import { supervise, type Host, type HostEvent, type Main, type ProcessDefinition } from './supervise.ts'

/**
 * The whole life of a process: `--help` and `--version`, configuration, logs, metrics and health on `METRICS_PORT`,
 * signals, exit code. It ends the process once `main` is done.
 *
 * Exit codes: 0 after a graceful stop, 2 for bad configuration (one line on standard error for each problem), 1 for
 * any other failure (one line on standard error, and a log line with the stack), 130 or 143 after a second signal.
 */
export async function runProcess<const D extends ProcessDefinition>(
  name: string,
  definition: D,
  main: Main<D>,
): Promise<never> {
  const code = await supervise(thisProcess(), name, definition, main)
  // Sockets that a library left open must not keep the process.
  process.exit(code)
}

function thisProcess(): Host {
  return {
    args: process.argv.slice(2),
    env: process.env,
    version: packageVersion(process.argv[1] ?? '.'),
    isTerminal: process.stdout.isTTY,
    stdout: process.stdout,
    stderr: process.stderr,
    on: (event: HostEvent, listener) => void process.on(event, listener),
    off: (event: HostEvent, listener) => void process.off(event, listener),
    exit: (code) => process.exit(code),
  }
}
