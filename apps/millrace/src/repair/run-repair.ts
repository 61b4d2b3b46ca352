import type { AdminApi, GetRepairOutput, ListRepairsRepair } from '@millrace/admin-api'
import { ConfigError } from '@millrace/runtime/command'
import { hostWithoutScheme, sleep } from '@millrace/stream-protocol'
import { runApiCommand } from '../admin/run-api-command.ts'
import type { CommandHost } from '../command-host.ts'
import { ProgressLine } from '../progress-line.ts'
import type { RepairCommandOptions } from './options.ts'
import type { HostPreview } from './preview-hosts.ts'
import { renderComparison, renderPreview, renderRepair, renderRepairProgress } from './render.ts'

/** Pause between two looks at a repair, in milliseconds. */
const LOOK_MS = 250

interface Host {
  host: string
  url: string
}

/**
 * Plans a repair of each host, and stays until backfillers have done it; or says what one would do.
 * @returns the exit code.
 */
export async function runRepair(options: RepairCommandOptions, host: CommandHost): Promise<number> {
  const { since, until, dryRun, wait } = options
  let isOver = true
  return await runApiCommand<Answer>(options, host, {
    ask: async (api, signal) => {
      if (since && until && since >= until) throw new ConfigError(['--since is not before --until'])
      const { lists } = await api.call('getBackfill', {}, signal)
      const hosts = chooseHosts(lists, options.host)
      if (dryRun && api.isDirect) {
        // Without a server there may be no backfiller either that would compare. What asks hosts takes long to load.
        const { previewHosts } = await import('./preview-hosts.ts')
        return { hosts: await previewHosts(hosts, options, host) }
      }
      const done = await repairAll(hosts, options, host, api)
      isOver = done.isOver
      return { repairs: done.repairs }
    },
    render: ({ repairs = [], hosts = [] }) => [
      ...hosts.flatMap((each) => renderPreview(each.host, each)),
      ...repairs.flatMap(dryRun ? renderComparison : renderRepair),
    ],
    code: ({ repairs = [], hosts = [] }) => {
      if (!isOver) return wait || dryRun ? 130 : 0
      const isAllWell = dryRun
        ? hosts.every(({ fetch }) => fetch === 0) && repairs.every(({ repair }) => toFetch(repair) === 0)
        : repairs.every(({ repair }) => isWell(repair))
      return isAllWell ? 0 : 1
    },
  })
}

interface Answer {
  repairs?: GetRepairOutput[]
  /** Of those that were compared here. */
  hosts?: HostPreview[]
}

function isWell({ state, failed }: ListRepairsRepair): boolean {
  return state === 'done' && failed === 0
}

function toFetch({ moved, unknown }: ListRepairsRepair): number {
  return moved + unknown
}

/** Hosts whose repos can be listed. */
function chooseHosts(all: readonly Host[], wanted: string | undefined): readonly Host[] {
  if (all.length === 0)
    throw new ConfigError(['no host is known: ingesters that have DB_POSTGRES_URL say which they read'])
  if (wanted === undefined) return all
  const name = hostWithoutScheme(wanted)
  const found = all.find(({ host }) => host === name)
  if (!found) throw new ConfigError([`${name} is not read here: ${all.map(({ host }) => host).join(', ')} are`])
  return [found]
}

async function repairAll(
  hosts: readonly Host[],
  { since, until, wait, dryRun, reason }: RepairCommandOptions,
  { stderr, signal }: CommandHost,
  api: AdminApi,
): Promise<{ repairs: GetRepairOutput[]; isOver: boolean }> {
  const ids: number[] = []
  for (const { host } of hosts) {
    const interval = { since: since?.toISOString(), until: until?.toISOString() }
    const { repair, change } = await api.call('startRepair', { host, ...interval, compareOnly: dryRun, reason }, signal)
    if (repair === undefined) continue
    if (change.changed === 0)
      stderr.write(`millrace: repair ${repair} of ${host} is open already: another one cannot begin before it ends\n`)
    ids.push(repair)
  }
  const isOver = (wait || dryRun) && (await untilOver(api, ids, { stderr, signal }))
  if (!isOver)
    stderr.write(`millrace: backfillers go on with it. To look again: millrace repair show ${ids.join(' ')}\n`)
  return { repairs: await read(api, ids), isOver }
}

/** Shows how far it is. @returns false when we were stopped before its end. */
async function untilOver(
  api: AdminApi,
  ids: readonly number[],
  { stderr, signal }: Pick<CommandHost, 'stderr' | 'signal'>,
): Promise<boolean> {
  using progress = new ProgressLine({ output: stderr })
  while (!signal.aborted) {
    const repairs = (await read(api, ids)).map(({ repair }) => repair)
    if (repairs.every(({ finishedAt }) => finishedAt !== undefined)) return true
    progress.show(renderRepairProgress(repairs))
    await sleep(LOOK_MS, signal)
  }
  return false
}

/** Also after we were stopped: what was begun is told. */
async function read(api: AdminApi, ids: readonly number[]): Promise<GetRepairOutput[]> {
  return await Promise.all(ids.map((id) => api.call('getRepair', { id })))
}
