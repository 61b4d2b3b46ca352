import { openDatabase } from '@millrace/database'
import { createGuardedFetch } from '@millrace/identity'
import { previewRepair, type RepairPreview } from '@millrace/repair'
import { identityVariables, readConfig } from '@millrace/runtime'
import type { CommandHost } from '../command-host.ts'
import { findDatabase } from '../find-database.ts'
import { ProgressLine } from '../progress-line.ts'
import type { RepairCommandOptions } from './options.ts'

export type HostPreview = RepairPreview & { host: string }

/** Compares the lists of hosts with the database, here and now. */
export async function previewHosts(
  hosts: readonly { host: string; url: string }[],
  { since, until, database: wanted, data }: RepairCommandOptions,
  { env, stderr, signal }: CommandHost,
): Promise<HostPreview[]> {
  const { MILLRACE_ALLOW_PRIVATE_HOSTS } = identityVariables
  const config = readConfig({ MILLRACE_ALLOW_PRIVATE_HOSTS }, env)
  const fetch = createGuardedFetch({ allowPrivateHosts: config.MILLRACE_ALLOW_PRIVATE_HOSTS })
  const location = await findDatabase({ url: wanted, env, data })
  await using database = await openDatabase({ ...location, poolSize: 2, applicationName: 'millrace-repair' })
  using progress = new ProgressLine({ output: stderr })
  const previews: HostPreview[] = []
  for (const { host, url } of hosts) {
    const onProgress = ({ listed, fetch }: RepairPreview): void =>
      progress.show(`${host}: ${listed} repos listed, ${fetch} to fetch`)
    previews.push({ host, ...(await previewRepair({ database, url, fetch, since, until, signal, onProgress })) })
  }
  return previews
}
