import type { AdminApi, RetryDeadLettersOutput } from '@millrace/admin-api'
import { ConfigError } from '@millrace/runtime/command'
import type { ApiOptions } from '../admin/api-options.ts'
import { renderChange } from '../admin/cursor-command.ts'
import { didsOf } from '../admin/read-subjects.ts'
import { runApiCommand, type ApiCommand } from '../admin/run-api-command.ts'
import type { CommandHost } from '../command-host.ts'
import type { ChosenLetters, DlqRequest, LetterTraits } from './options.ts'
import { renderGroups, renderLetter, renderList, renderRetry } from './render.ts'

/**
 * Shows dead letters, and has done with them what an operator decides.
 * @returns the exit code.
 */
export async function runDlq(request: DlqRequest, options: ApiOptions, host: CommandHost): Promise<number> {
  const run = async <T>(command: ApiCommand<T>): Promise<number> => await runApiCommand(options, host, command)
  switch (request.command) {
    case 'summary':
      return await run({
        ask: async (api, signal) => await api.call('getDeadLetterGroups', await withDid(request.filter, api), signal),
        render: ({ groups }) => renderGroups(groups),
      })
    case 'list': {
      const { filter, limit, after: cursor } = request
      return await run({
        ask: async (api, signal) =>
          await api.call('listDeadLetters', { ...(await withDid(filter, api)), limit, cursor }, signal),
        render: renderList,
      })
    }
    case 'show': {
      const { id, payload } = request
      return await run({
        ask: (api, signal) => api.call('getDeadLetter', { id }, signal),
        render: (answer) => (payload ? [answer.payload] : renderLetter(answer)),
      })
    }
    case 'export':
      // What is written is JSON in any case: an answer would be too long to be held.
      return await runApiCommand({ ...options, json: false }, host, {
        ask: async (api, signal) => await exportAll(await withDid(request.filter, api), api, host, signal),
        render: () => [],
      })
    case 'retry': {
      const { dryRun, reason } = request
      return await run({
        ask: async (api, signal) => {
          const letters = await withDid(chosen(request), api)
          return await api.call('retryDeadLetters', { ...letters, dryRun, reason }, signal)
        },
        render: renderRetry,
        code: ({ refused }: RetryDeadLettersOutput) => (refused.length > 0 ? 1 : 0),
      })
    }
    case 'edit': {
      const { id, payload, reason } = request
      return await run({
        ask: (api, signal) => api.call('editDeadLetter', { id, payload, reason }, signal),
        render: ({ change }) => renderChange(change, 'without --dry-run'),
      })
    }
    case 'discard':
      break
  }
  return await run({
    ask: (api, signal) => discard(request, api, signal),
    render: ({ change }) => renderChange(change, 'with --yes they are'),
    // A plan is not what was asked for.
    code: ({ change }) => (change.dryRun && change.changed > 0 ? 4 : 0),
  })
}

/** A filter as the server takes it: accounts have DIDs there. */
async function withDid<T extends LetterTraits>(filter: T, api: AdminApi): Promise<T> {
  if (filter.did === undefined) return filter
  const [did] = await didsOf([filter.did], api)
  return { ...filter, did }
}

/** All letters are meant only when that is said. @throws {ConfigError} */
function chosen({ command, filter }: Extract<DlqRequest, { command: 'retry' | 'discard' }>): ChosenLetters {
  if (Object.values(filter).every((trait) => trait === undefined || trait === false))
    throw new ConfigError([`say which letters to ${command}: by their numbers, a filter, or --all`])
  return filter
}

async function discard(request: Extract<DlqRequest, { command: 'discard' }>, api: AdminApi, signal: AbortSignal) {
  const { yes, reason } = request
  const wanted = { ...(await withDid(chosen(request), api)), reason }
  const plan = await api.call('discardDeadLetters', { ...wanted, dryRun: true }, signal)
  if (!yes || plan.change.changed === 0) return plan
  return await api.call('discardDeadLetters', { ...wanted, confirm: String(plan.change.changed) }, signal)
}

async function exportAll(
  filter: LetterTraits & { state?: string | undefined },
  api: AdminApi,
  { stdout }: Pick<CommandHost, 'stdout'>,
  signal: AbortSignal,
): Promise<void> {
  for (let cursor: string | undefined; ;) {
    const page = await api.call('exportDeadLetters', { ...filter, limit: 100, cursor }, signal)
    for (const { letter, payload, isCut } of page.letters)
      stdout.write(`${JSON.stringify({ ...letter, payload, isCut })}\n`)
    cursor = page.cursor
    if (cursor === undefined) return
  }
}
