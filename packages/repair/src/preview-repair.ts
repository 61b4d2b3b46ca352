import type { Database } from '@millrace/database'
import type { GuardedFetch } from '@millrace/identity'
import { fetchPage } from '@millrace/ingest'
import { compareListed, repairSteps } from './compare-listed.ts'
import type { Standing } from './compare-page.ts'

export interface PreviewOptions {
  database: Database
  /** With scheme. */
  url: string
  fetch: GuardedFetch
  since?: Date | undefined
  until?: Date | undefined
  /** Repos asked for in one page. @default 1_000 */
  pageLimit?: number
  signal: AbortSignal
  /** Called after each page, with what was found so far. */
  onProgress?: (preview: RepairPreview) => void
}

/** What a repair would do. */
export interface RepairPreview {
  listed: number
  counts: Record<Standing, number>
  /** Repos that it would fetch: those that moved, and those that we do not know. */
  fetch: number
  /** Some of them. */
  examples: string[]
  /** Accounts whose status the host and we see differently. */
  statusDiffers: number
}

const MAX_EXAMPLES = 10

/** Compares a host's repos with ours as a repair does, and neither marks nor changes anything. */
export async function previewRepair({
  database,
  url,
  fetch,
  since,
  until,
  pageLimit = 1_000,
  signal,
  onProgress,
}: PreviewOptions): Promise<RepairPreview> {
  const preview: RepairPreview = {
    listed: 0,
    counts: { current: 0, moved: 0, unknown: 0, inactive: 0, unchanged: 0 },
    fetch: 0,
    examples: [],
    statusDiffers: 0,
  }
  const interval = { sinceMs: since?.getTime() ?? null, untilMs: until?.getTime() ?? null }
  const steps = await repairSteps(database)
  let cursor: string | null = null
  do {
    const page = await fetchPage({ host: url, cursor, limit: pageLimit, steps, timeoutMs: 30_000, fetch, signal })
    cursor = page.cursor
    const compared = await compareListed(database, page, { ...interval, all: false })
    preview.listed += page.events.length
    for (const standing of Object.keys(preview.counts) as Standing[])
      preview.counts[standing] += compared.counts[standing]
    preview.fetch += compared.fetch.length
    preview.statusDiffers += compared.statusDiffers.length
    preview.examples.push(...compared.fetch.slice(0, MAX_EXAMPLES - preview.examples.length).map(({ did }) => did))
    onProgress?.(preview)
  } while (cursor !== null)
  return preview
}
