#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { packageVersion } from '@millrace/runtime'
import { Command } from 'commander'
import { auditCommand } from './admin/audit-command.ts'
import { cursorCommand } from './admin/cursor-command.ts'
import { doctorCommand } from './admin/doctor-command.ts'
import { freshnessCommand } from './admin/freshness-command.ts'
import { lagCommand } from './admin/lag-command.ts'
import { pendingCommand } from './admin/pending-command.ts'
import { reposCommand } from './admin/repos-command.ts'
import { statusCommand } from './admin/status-command.ts'
import { consumersCommand, groupsCommand, streamsCommand } from './admin/streams-commands.ts'
import { traceCommand } from './admin/trace-command.ts'
import { configCommand } from './config-command.ts'
import { dlqCommand } from './dlq/dlq-command.ts'
import { recountCommand } from './recount/recount-command.ts'
import { gapsCommand } from './repair/gaps-command.ts'
import { repairCommand } from './repair/repair-command.ts'
import { resyncCommand } from './repair/resync-command.ts'
import { upCommand } from './up/up-command.ts'

const program = new Command('millrace')
  .description('The data pipeline that AT Protocol AppViews run on.')
  .version(packageVersion(realpathSync(process.argv[1] ?? '.')))
  .showHelpAfterError('(millrace --help lists the commands)')
  .exitOverride()
const commands = [
  upCommand(),
  statusCommand(),
  doctorCommand(),
  traceCommand(),
  lagCommand(),
  freshnessCommand(),
  streamsCommand(),
  groupsCommand(),
  consumersCommand(),
  pendingCommand(),
  reposCommand(),
  cursorCommand(),
  auditCommand(),
  repairCommand(),
  gapsCommand(),
  resyncCommand(),
  dlqCommand(),
  recountCommand(),
  configCommand(),
]
for (const command of commands) {
  program.addCommand(command)
  inheritSettings(command, program)
}

/** A command that is added keeps its own settings: it has to be told to leave the exit code to us. */
function inheritSettings(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent)
  for (const each of command.commands) inheritSettings(each, command)
}

try {
  await program.parseAsync()
} catch (error) {
  // Commander has said what was wrong with the arguments; help and version are no failure.
  const { exitCode, code } = error as { exitCode?: number; code?: string }
  if (code?.startsWith('commander.') !== true) throw error
  process.exitCode = exitCode === 0 ? 0 : 2
}
