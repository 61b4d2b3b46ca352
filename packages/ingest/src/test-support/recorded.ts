import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readDidDocument, type Identity } from '@millrace/identity'

const folder = path.join(import.meta.dirname, '../../../../fixtures/network-basic')

/** What the recording of a real network says about itself. */
export const manifest = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as {
  inputs: {
    frames: number
    lastSeq: number
    labels: number
    eventTypes: Record<string, number>
    collections: Record<string, { create: number; update: number; delete: number }>
  }
}

/** Frames of a recording: each is preceded by its length in four bytes. */
export function recordedFrames(name: 'subscribeRepos' | 'subscribeLabels'): Buffer[] {
  const bytes = gunzipSync(readFileSync(path.join(folder, `inputs/${name}.frames.gz`)))
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at)
    frames.push(bytes.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return frames
}

/** What the recorded DID documents say, by account. */
export function recordedIdentities(): Map<string, Identity> {
  const lines = gunzipSync(readFileSync(path.join(folder, 'inputs/did-docs.jsonl.gz')))
    .toString()
    .trimEnd()
    .split('\n')
  const entries = lines.map((line) => JSON.parse(line) as { did: string; docMultikey: unknown })
  return new Map(entries.map(({ did, docMultikey }) => [did, readDidDocument(docMultikey, did)!]))
}
