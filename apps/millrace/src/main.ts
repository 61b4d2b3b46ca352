#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { packageVersion } from '@millrace/runtime/command'
import { Command } from 'commander'

/** Each is loaded when it is asked for: all of them together take seconds, and an operator waits for one. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./up/up-command.ts')).upCommand(),
  backfill: async () => (await import('./backfill/backfill-command.ts')).backfillCommand(),
  status: async () => (await import('./admin/status-command.ts')).statusCommand(),
  doctor: async () => (await import('./admin/doctor-command.ts')).doctorCommand(),
  trace: async () => (await import('./admin/trace-command.ts')).traceCommand(),
  lag: async () => (await import('./admin/lag-command.ts')).lagCommand(),
  freshness: async () => (await import('./admin/freshness-command.ts')).freshnessCommand(),
  streams: async () => (await import('./admin/streams-commands.ts')).streamsCommand(),
  groups: async () => (await import('./admin/streams-commands.ts')).groupsCommand(),
  consumers: async () => (await import('./admin/streams-commands.ts')).consumersCommand(),
  pending: async () => (await import('./admin/pending-command.ts')).pendingCommand(),
  entries: async () => (await import('./admin/entries-command.ts')).entriesCommand(),
  repos: async () => (await import('./admin/repos-command.ts')).reposCommand(),
  hosts: async () => (await import('./admin/hosts-command.ts')).hostsCommand(),
  pause: async () => (await import('./admin/pause-commands.ts')).pauseCommand(),
  resume: async () => (await import('./admin/pause-commands.ts')).resumeCommand(),
  cursor: async () => (await import('./admin/cursor-command.ts')).cursorCommand(),
  resync: async () => (await import('./repair/resync-command.ts')).resyncCommand(),
  gaps: async () => (await import('./repair/gaps-command.ts')).gapsCommand(),
  repair: async () => (await import('./repair/repair-command.ts')).repairCommand(),
  dlq: async () => (await import('./dlq/dlq-command.ts')).dlqCommand(),
  migrate: async () => (await import('./migrate/migrate-command.ts')).migrateCommand(),
  recount: async () => (await import('./recount/recount-command.ts')).recountCommand(),
  alerts: async () => (await import('./admin/alerts-command.ts')).alertsCommand(),
  audit: async () => (await import('./admin/audit-command.ts')).auditCommand(),
  sim: async () => (await import('./sim/sim-command.ts')).simCommand(),
  config: async () => (await import('./config/config-command.ts')).configCommand(),
}

const program = new Command('millrace')
  .description('The data pipeline that AT Protocol AppViews run on.')
  .version(packageVersion(realpathSync(process.argv[1] ?? '.')))
  .showHelpAfterError('(millrace --help lists the commands)')
  .exitOverride()
for (const load of wanted(process.argv[2])) {
  const command = await load()
  program.addCommand(command)
  inheritSettings(command, program)
}

/** The one that is named, or all of them, to list them or to find what was meant. */
function wanted(name: string | undefined): (() => Promise<Command>)[] {
  const named = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  return named ? [named] : name === '--version' || name === '-V' ? [] : Object.values(commands)
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
