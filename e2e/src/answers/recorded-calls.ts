import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { readJsonLines } from '../read-json-lines.ts'

export interface Answer {
  status: number
  body: unknown
}

/** One request to the reference AppView, with the answer that it gave over its own rows. */
export interface RecordedCall extends Answer {
  nsid: string
  params: Record<string, string | number | boolean | string[]>
  /** DID of the account that asks; null for the public. */
  viewer: string | null
  /** Paths in the answer that chance decides there. */
  volatile?: string[]
}

export interface Recorded {
  calls: RecordedCall[]
  /** When the last answer was given, in epoch milliseconds. */
  at: number
  /** DID of the AppView, the audience of tokens. */
  serverDid: string
  /** Labelers that every request accepts. */
  labelers: string[]
  /** Signing keys of the viewers, in hexadecimal. */
  viewerKeys: Record<string, string>
}

/** What a recording says of the reference AppView's answers. */
export async function readRecordedCalls(folder: string): Promise<Recorded> {
  const readJson = async <T>(file: string): Promise<T> =>
    JSON.parse(await readFile(path.join(folder, file), 'utf8')) as T
  const [calls, settings, manifest] = await Promise.all([
    readJsonLines<RecordedCall>(path.join(folder, 'expected/api.jsonl.gz')),
    readJson<{ serverDid: string; labelers: string[]; viewerSigningKeysHex: Record<string, string> }>(
      'expected/appview.json',
    ),
    readJson<{ finishedAt: string }>('manifest.json'),
  ])
  const { serverDid, labelers, viewerSigningKeysHex: viewerKeys } = settings
  return { calls, at: Date.parse(manifest.finishedAt), serverDid, labelers, viewerKeys }
}
