import { decodeFrame, recordedRepos, type Recording } from '@millrace/dev-network'
import type { FinalAccount, FinalLabel, FinalNetwork } from '@millrace/oracle'

/** What a frame may say of an account; commits call it their repo. */
interface AccountBody {
  did?: string
  repo?: string
  active?: boolean
  status?: string
}

/** Where a recorded network ends, as its frames tell it. */
export async function endOfRecording(recording: Recording): Promise<FinalNetwork> {
  const accounts = new Map<string, FinalAccount>()
  for (const frame of recording.frames) {
    const { header, body } = decodeFrame(frame)
    const { did = '', repo = did, active = true, status = 'inactive' } = body as AccountBody
    if (header.t !== '#account' && accounts.has(repo)) continue
    accounts.set(repo, { did: repo, status: active ? null : status, deleted: !active && status === 'deleted' })
  }
  const labels = recording.labelFrames.flatMap((frame) => {
    const { seq, labels } = decodeFrame(frame).body as unknown as { seq: number; labels: Omit<FinalLabel, 'seq'>[] }
    return labels.map((label) => ({ ...label, seq }))
  })
  const repos = await recordedRepos(recording)
  return {
    repos: repos.map(({ records, ...repo }) => ({
      ...repo,
      records: records.map(({ record, ...place }) => ({ ...place, record: record ?? {} })),
    })),
    accounts: [...accounts.values()],
    labels,
  }
}
