import { cborToLexRecord, readCar } from '@atproto/repo'
import type { Cid } from '@atproto/lex-data'
import type { NetworkRecord } from './account.ts'
import { decodeFrame } from './frame.ts'
import { lexToJson } from './lex-json.ts'
import type { Recording } from './recording.ts'

/** A repo as it is after the last frame of a recording. */
export interface RepoAtEnd {
  did: string
  rev: string
  commit: string
  records: NetworkRecord[]
}

interface CommitBody {
  repo: string
  rev: string
  commit: Cid
  blocks: Uint8Array
  ops: { action: string; path: string; cid: Cid | null }[]
}

/** What all repos of a recording hold at its end, from the operations of its commits: those of hidden accounts too. */
export async function recordedRepos({ frames }: Pick<Recording, 'frames'>): Promise<RepoAtEnd[]> {
  const repos = new Map<string, Omit<RepoAtEnd, 'did' | 'records'> & { records: Map<string, NetworkRecord> }>()
  for (const frame of frames) {
    const { header, body } = decodeFrame(frame)
    if (header.t !== '#commit') continue
    const { repo: did, rev, commit, blocks, ops } = body as unknown as CommitBody
    const records = repos.get(did)?.records ?? new Map<string, NetworkRecord>()
    const car = await readCar(blocks)
    for (const { path, cid } of ops) {
      const uri = `at://${did}/${path}`
      if (cid === null) records.delete(uri)
      else records.set(uri, { uri, cid: cid.toString(), record: lexToJson(cborToLexRecord(car.blocks.get(cid)!)) })
    }
    repos.set(did, { rev, commit: commit.toString(), records })
  }
  return [...repos].map(([did, { records, ...head }]) => ({ did, ...head, records: [...records.values()] }))
}
