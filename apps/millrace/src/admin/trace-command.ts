import type { TraceSubjectOutput } from '@millrace/admin-api'
import { Command } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { shown } from './words.ts'

/** `millrace trace`: where has it got to? */
export function traceCommand(): Command {
  return withApiOptions(new Command('trace'))
    .description('Look for a record or an account everywhere it could be, and say what keeps it from being seen.')
    .argument('<subject>', 'a DID, a handle, the AT-URI of a record, or a link of bsky.app')
    .addHelpText(
      'after',
      `${apiEnvironmentHelp}\n${exitCodesHelp}\n\nExamples:\n  millrace trace alice.example\n  millrace trace at://alice.example/app.bsky.feed.post/3k2a4b5c6d7e2`,
    )
    .action((subject: string, _flags: unknown, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) => api.call('traceSubject', { subject }, signal),
          render: renderTrace,
          code: ({ verdict: { level } }) => (level === 'fine' || level === 'wait' ? 0 : 1),
        }),
      ),
    )
}

const signs: Readonly<Record<string, string | undefined>> = { yes: '+', no: '-', problem: '!', unknown: '?' }

/** A trace for people: where was looked, and what it comes to. A function of values. */
export function renderTrace({ did, uri, handle, steps, verdict }: TraceSubjectOutput): string[] {
  return [
    `${shown(uri ?? did)}${handle === undefined ? '' : ` (${shown(handle)})`}`,
    ...steps.map(({ place, outcome, detail }) => `  ${signs[outcome] ?? '?'} ${place.padEnd(12)}  ${shown(detail)}`),
    '',
    `${verdict.code}: ${shown(verdict.sentence)}`,
    ...(verdict.command === undefined ? [] : [`> ${shown(verdict.command)}`]),
  ]
}
