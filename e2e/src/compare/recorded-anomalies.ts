import type { RecordedNetwork } from '@millrace/dev-network'
import { compareWithOracle, type Anomaly } from '@millrace/oracle'
import type { Pool } from 'pg'
import { endOfRecording } from './recorded-end.ts'

/** What is not as the repos of a recorded network have it in the end. */
export async function recordedAnomalies(pool: Pool, { recording }: RecordedNetwork): Promise<Anomaly[]> {
  const end = await endOfRecording(recording)
  return await compareWithOracle({ pool, schema: 'bsky', now: Date.now(), ...end })
}
