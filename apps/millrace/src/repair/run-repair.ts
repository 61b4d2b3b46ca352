import { readUpstreams, type Database, type Upstream } from '@millrace/database'
import { createGuardedFetch } from '@millrace/identity'
import { previewRepair, RepairStore, type Repair, type RepairPreview } from '@millrace/repair'
import { ConfigError, identityVariables, readConfig } from '@millrace/runtime'
import { hostWithoutScheme, sleep, streams } from '@millrace/stream-protocol'
import type { CommandHost } from '../command-host.ts'
import { ProgressLine } from '../progress-line.ts'
import { inDatabase } from './in-database.ts'
import type { RepairCommandOptions } from './options.ts'
import { renderPreview, renderRepair, renderRepairProgress } from './render.ts'

/** Pause between two looks at a repair, in milliseconds. */
const LOOK_MS = 250

/**
 * Plans a repair of each host, and stays until backfillers have done it; or says what one would do.
 * @returns the exit code.
 */
export async function runRepair(options: RepairCommandOptions, host: CommandHost): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    checkInterval(options)
    const upstreams = chooseHosts(await readUpstreams(database), options.host)
    return options.dryRun
      ? await preview(database, upstreams, options, host)
      : await repair(database, upstreams, options, host)
  })
}

function checkInterval({ since, until }: RepairCommandOptions): void {
  if (since && until && since >= until) throw new ConfigError(['--since is not before --until'])
}

/** Hosts whose repos can be listed, each once. */
function chooseHosts(all: readonly Upstream[], wanted: string | undefined): Upstream[] {
  const lists: readonly string[] = [streams.firehoseLive, streams.repoBackfill]
  const byHost = new Map(
    all.filter(({ stream }) => lists.includes(stream)).map((upstream) => [upstream.host, upstream]),
  )
  if (byHost.size === 0)
    throw new ConfigError(['no host is known: ingesters that have DB_POSTGRES_URL say which they read'])
  if (wanted === undefined) return [...byHost.values()]
  const host = hostWithoutScheme(wanted)
  const upstream = byHost.get(host)
  if (!upstream) throw new ConfigError([`${host} is not read here: ${[...byHost.keys()].join(', ')} are`])
  return [upstream]
}

async function preview(
  database: Database,
  upstreams: readonly Upstream[],
  { since, until, json }: RepairCommandOptions,
  { env, stdout, stderr, signal }: CommandHost,
): Promise<number> {
  const { MILLRACE_ALLOW_PRIVATE_HOSTS } = identityVariables
  const config = readConfig({ MILLRACE_ALLOW_PRIVATE_HOSTS }, env)
  const fetch = createGuardedFetch({ allowPrivateHosts: config.MILLRACE_ALLOW_PRIVATE_HOSTS })
  const previews: (RepairPreview & { host: string })[] = []
  {
    using progress = new ProgressLine({ output: stderr })
    for (const { host, url } of upstreams) {
      const onProgress = ({ listed, fetch }: RepairPreview): void =>
        progress.show(`${host}: ${listed} repos listed, ${fetch} to fetch`)
      previews.push({ host, ...(await previewRepair({ database, url, fetch, since, until, signal, onProgress })) })
    }
  }
  stdout.write(
    json
      ? `${JSON.stringify({ dryRun: true, database: database.location, hosts: previews }, undefined, 2)}\n`
      : `${[database.location, ...previews.flatMap((each) => renderPreview(each.host, each))].join('\n')}\n`,
  )
  return previews.some(({ fetch }) => fetch > 0) ? 1 : 0
}

async function repair(
  database: Database,
  upstreams: readonly Upstream[],
  { since, until, wait, json }: RepairCommandOptions,
  { stdout, stderr, signal }: CommandHost,
): Promise<number> {
  const store = new RepairStore(database)
  const ids: number[] = []
  for (const { host } of upstreams) {
    const { id, isNew } = await store.plan({ host, reason: 'asked', since, until })
    if (!isNew)
      stderr.write(`millrace: repair ${id} of ${host} is open already: another one cannot begin before it ends\n`)
    ids.push(id)
  }
  const isOver = wait && (await untilOver(store, ids, { stderr, signal }))
  const reports = await Promise.all(
    (await read(store, ids)).map(async (each) => ({ repair: each, counts: await store.counts(each.id) })),
  )
  stdout.write(
    json
      ? `${JSON.stringify({ database: database.location, repairs: reports }, undefined, 2)}\n`
      : `${[database.location, ...reports.flatMap(renderRepair)].join('\n')}\n`,
  )
  if (!isOver) {
    stderr.write(`millrace: backfillers go on with it. To look again: millrace repair show ${ids.join(' ')}\n`)
    return wait ? 130 : 0
  }
  return reports.every(({ repair: { state, failed } }) => state === 'done' && failed === 0) ? 0 : 1
}

/** Shows how far it is. @returns false when we were stopped before its end. */
async function untilOver(
  store: RepairStore,
  ids: readonly number[],
  { stderr, signal }: Pick<CommandHost, 'stderr' | 'signal'>,
): Promise<boolean> {
  using progress = new ProgressLine({ output: stderr })
  while (!signal.aborted) {
    const repairs = await read(store, ids)
    if (repairs.every(({ finishedAt }) => finishedAt !== null)) return true
    progress.show(renderRepairProgress(repairs))
    await sleep(LOOK_MS, signal)
  }
  return false
}

async function read(store: RepairStore, ids: readonly number[]): Promise<Repair[]> {
  const repairs = await Promise.all(ids.map((id) => store.get(id)))
  return repairs.filter((each) => each !== undefined)
}
