import type { AdminApi } from '@millrace/admin-api'
import { createGuardedFetch } from '@millrace/identity'
import { fetchPage, hostWithScheme } from '@millrace/ingest'
import { ConfigError, identityVariables, readConfig, readDidLines } from '@millrace/runtime'
import { didsOf } from '../admin/read-subjects.ts'
import { runApiCommand } from '../admin/run-api-command.ts'
import type { CommandHost } from '../command-host.ts'
import { ProgressLine } from '../progress-line.ts'
import type { AddOptions } from './options.ts'

/** Accounts that are added by one request. */
const BATCH = 1_000
const number = new Intl.NumberFormat('en')

interface Added {
  added: number
  /** Of those that were named, so many waited already. */
  waiting: number
  paused: boolean
  dryRun: boolean
}

/** Has repos fetched. @returns the exit code. */
export async function runAdd(options: AddOptions, host: CommandHost): Promise<number> {
  return await runApiCommand<Added>(options, host, {
    ask: (api, signal) => add(options, { ...host, signal }, api),
    render: ({ added, waiting, paused, dryRun }) => [
      `${accounts(added)} ${dryRun ? 'would be added' : 'added'}${waiting > 0 ? `, ${number.format(waiting)} more wait already` : ''}. ${paused ? 'The backfill is paused.' : 'Backfillers that have this database fetch them.'}`,
    ],
  })
}

async function add(options: AddOptions, host: CommandHost, api: AdminApi): Promise<Added> {
  const { subjects, file, collections, first, reason, dryRun } = options
  if (subjects.length === 0 && file === undefined && collections.length === 0)
    throw new ConfigError(['nothing to add: name accounts, or use --file or --collection'])
  const count = { named: 0, added: 0 }
  {
    using progress = new ProgressLine({ output: host.stderr })
    for await (const batch of batchesOf(accountsOf(options, host, api))) {
      host.signal.throwIfAborted()
      const { change } = await api.call('addRepos', { dids: batch, first, reason, dryRun }, host.signal)
      count.added += change.changed
      count.named += batch.length
      progress.show(`${number.format(count.named)} accounts added`)
    }
  }
  const { state } = await api.call('getBackfill', {}, host.signal)
  const paused = !first && state === 'paused'
  return { added: count.added, waiting: count.named - count.added, paused, dryRun }
}

async function* accountsOf(
  { subjects, file, collections, host: relay }: AddOptions,
  { env, signal }: CommandHost,
  api: AdminApi,
): AsyncGenerator<string> {
  yield* await didsOf(subjects, api)
  if (file !== undefined) yield* readDidLines(file, '--file')
  if (collections.length === 0) return
  const { MILLRACE_ALLOW_PRIVATE_HOSTS: allowPrivateHosts } = readConfig(
    { MILLRACE_ALLOW_PRIVATE_HOSTS: identityVariables.MILLRACE_ALLOW_PRIVATE_HOSTS },
    env,
  )
  const fetch = createGuardedFetch({ allowPrivateHosts })
  const hosts = relay === undefined ? await readRelays(api) : [hostWithScheme(relay)]
  for (const host of hosts) {
    let cursor: string | null = null
    do {
      const page = await fetchPage({ host, steps: collections, cursor, limit: 500, timeoutMs: 30_000, fetch, signal })
      for (const { did } of page.events) yield did
      cursor = page.cursor
    } while (cursor !== null)
  }
}

/** The relays that ingesters say to read. */
async function readRelays(api: AdminApi): Promise<string[]> {
  const { lists } = await api.call('getBackfill', {})
  if (lists.length === 0) throw new ConfigError(['no relay is read by this database: name one with --host'])
  return lists.map(({ url }) => url)
}

async function* batchesOf(dids: AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = []
  for await (const did of dids) {
    batch.push(did)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function accounts(count: number): string {
  return count === 1 ? '1 account' : `${number.format(count)} accounts`
}
