import { printConfigDocs } from '@millrace/runtime'
import { Command } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { roleDefinitions, roles } from './roles.ts'
import { runConfigCheck, runConfigPrint, type ConfigOptions } from './run-config.ts'

/** Every variable of every process, as Markdown: `docs/configuration.md`. */
export function configDocs(): string {
  const docs = printConfigDocs(roles.map((title) => ({ title, definition: roleDefinitions[title] })))
  return `# Configuration\n\nEach process reads its environment once, when it starts, and ends with one line for each value that does not hold.\nThis page is made by \`millrace config docs\`; \`millrace config check\` says what does not hold before a process is started, and\n\`millrace config print\` what each of them reads, and from where.\n\n${docs.trim()}\n`
}

/** `millrace config`: what can be configured, and what is. */
export function configCommand(): Command {
  const config = new Command('config').description('Show what can be configured, and whether what is configured holds.')
  withConfigOptions(config.command('check'))
    .description('say what would keep a process from starting, and which variables nothing reads')
    .addHelpText(
      'after',
      `
Exit codes:
  0  every process that was named would start with it
  1  a problem was found
  2  the arguments do not hold`,
    )
    .action((names: string[], flags: ConfigFlags) =>
      inThisProcess((host) => runConfigCheck(readOptions(names, flags), host)),
    )
  withConfigOptions(config.command('print'))
    .description('print every variable with its value, without secrets, and where it comes from')
    .action((names: string[], flags: ConfigFlags) =>
      inThisProcess((host) => runConfigPrint(readOptions(names, flags), host)),
    )
  config
    .command('docs')
    .description('print every variable of every process as Markdown')
    .action(() => void process.stdout.write(configDocs()))
  return config
}

interface ConfigFlags {
  envFile: readonly string[]
  json: boolean
}

function withConfigOptions(command: Command): Command {
  return command
    .argument('[process...]', `${roles.join(', ')} (default: all of them)`)
    .option(
      '--env-file <file>',
      'read this file of variables in place of the environment; of several, the later ones win',
      (file: string, earlier: readonly string[]) => [...earlier, file],
      [],
    )
    .option('--json', 'print the report as JSON, on standard output', false)
}

function readOptions(names: readonly string[], { envFile: envFiles, json }: ConfigFlags): ConfigOptions {
  return { roles: names, envFiles, json }
}
