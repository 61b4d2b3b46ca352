#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { packageVersion } from '@millrace/runtime'
import { Command } from 'commander'
import { configCommand } from './config-command.ts'
import { recountCommand } from './recount/recount-command.ts'
import { upCommand } from './up/up-command.ts'

const program = new Command('millrace')
  .description('The data pipeline that AT Protocol AppViews run on.')
  .version(packageVersion(realpathSync(process.argv[1] ?? '.')))
  .showHelpAfterError('(millrace --help lists the commands)')
  .exitOverride()
// A command that is added keeps its own settings: it has to be told to leave the exit code to us.
for (const command of [upCommand(), recountCommand(), configCommand()])
  program.addCommand(command.copyInheritedSettings(program))

try {
  await program.parseAsync()
} catch (error) {
  // Commander has said what was wrong with the arguments; help and version are no failure.
  const { exitCode, code } = error as { exitCode?: number; code?: string }
  if (code?.startsWith('commander.') !== true) throw error
  process.exitCode = exitCode === 0 ? 0 : 2
}
