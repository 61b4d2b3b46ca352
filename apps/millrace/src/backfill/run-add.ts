import { BackfillQueue, readUpstreams, type Database } from '@millrace/database'
import { createGuardedFetch } from '@millrace/identity'
import { hostWithScheme } from '@millrace/ingest'
import { ConfigError, identityVariables, readConfig } from '@millrace/runtime'
import { streams } from '@millrace/stream-protocol'
import type { CommandHost } from '../command-host.ts'
import { ProgressLine } from '../progress-line.ts'
import { inDatabase } from '../repair/in-database.ts'
import { listByCollection } from './list-by-collection.ts'
import type { AddOptions } from './options.ts'
import { readDidLines } from './read-did-lines.ts'

/** Accounts that are added in one statement. */
const BATCH = 1_000
const number = new Intl.NumberFormat('en')

/** Has repos fetched. @returns the exit code. */
export async function runAdd(options: AddOptions, host: CommandHost): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    const { dids, file, collections, first, json } = options
    if (dids.length === 0 && file === undefined && collections.length === 0)
      throw new ConfigError(['nothing to add: name accounts, or use --file or --collection'])
    const queue = new BackfillQueue(database)
    const count = { named: 0, added: 0 }
    {
      using progress = new ProgressLine({ output: host.stderr })
      for await (const batch of batchesOf(accountsOf(options, database, host))) {
        host.signal.throwIfAborted()
        count.added += await queue.add(batch, { first })
        count.named += batch.length
        progress.show(`${number.format(count.named)} accounts added`)
      }
    }
    const waiting = count.named - count.added
    const paused = !first && (await queue.isPaused())
    host.stdout.write(
      json
        ? `${JSON.stringify({ added: count.added, waiting, paused }, undefined, 2)}\n`
        : `${accounts(count.added)} added${waiting > 0 ? `, ${number.format(waiting)} more wait already` : ''}. ${paused ? 'The backfill is paused.' : 'Backfillers that have this database fetch them.'}\n`,
    )
    return 0
  })
}

async function* accountsOf(
  { dids, file, collections, host: relay }: AddOptions,
  database: Database,
  { env, signal }: CommandHost,
): AsyncGenerator<string> {
  yield* dids
  if (file !== undefined) yield* readDidLines(file)
  if (collections.length === 0) return
  const { MILLRACE_ALLOW_PRIVATE_HOSTS: allowPrivateHosts } = readConfig(
    { MILLRACE_ALLOW_PRIVATE_HOSTS: identityVariables.MILLRACE_ALLOW_PRIVATE_HOSTS },
    env,
  )
  const fetch = createGuardedFetch({ allowPrivateHosts })
  const hosts = relay === undefined ? await readHosts(database) : [hostWithScheme(relay)]
  for (const host of hosts)
    for (const collection of collections)
      for await (const page of listByCollection({ host, collection, fetch, signal })) yield* page
}

async function readHosts(database: Database): Promise<string[]> {
  const upstreams = (await readUpstreams(database)).filter(({ stream }) => stream === streams.firehoseLive)
  if (upstreams.length === 0) throw new ConfigError(['no relay is read by this database: name one with --host'])
  return upstreams.map(({ url }) => url)
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
