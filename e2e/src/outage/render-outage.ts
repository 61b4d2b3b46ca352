import { renderAnomalies } from '@millrace/oracle'
import { formatColumns } from '@millrace/testing/results'
import type { OutageResult } from './play-outage.ts'

/** The figures of an outage, for people. */
export function renderOutage(result: OutageResult): string {
  const { anomalies, repairRequests, backfillRequests, reposFetched, reposListed } = result
  const rows = [
    ['alarm after (in time of production)', `${Math.round(result.alarmSeconds)} s`],
    ['frames that the relay could not replay', `${result.framesGone} of ${result.framesSent}`],
    ['entries trimmed away unread', String(result.trimmed)],
    ['rows missing or old after the replay', String(result.lost)],
    ['rows deleted and still there', String(result.zombies)],
    ['rows wrong otherwise', String(result.others)],
    ['repos fetched', `${reposFetched} of ${reposListed}`],
    ['work, of a first backfill', `${workPercent(repairRequests, backfillRequests)} %`],
    ['time of the repair', `${(result.repairMs / 1_000).toFixed(1)} s`],
    ['time of the first backfill', `${(result.backfillMs / 1_000).toFixed(1)} s`],
    ['rows wrong in the end', String(anomalies.length)],
  ]
  const verdict =
    anomalies.length === 0 ? 'The database is what the repos of the network say.' : renderAnomalies(anomalies)
  return `${formatColumns(rows, [1])}\n\n${verdict}`
}

/** Requests for whole repos, against those of the first backfill. */
export function workPercent(repair: number, backfill: number): number {
  return Math.round((repair / backfill) * 100)
}
