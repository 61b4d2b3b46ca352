import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { decodeFrame } from './frame.ts'

interface Answer {
  status: number
  body?: unknown
}

/** What a host answered about one repo when the recording ended. */
export interface RecordedRepo {
  did: string
  getRepoStatus: Answer
  getLatestCommit: Answer
  /** `car` is an index into `Recording.cars`. */
  getRepo: Answer & { car?: number }
}

interface RecordedDid {
  did: string
  /** As an older PLC server wrote it, with the key types of 2019. */
  doc: unknown
  /** As plc.directory writes it today. */
  docMultikey: unknown
  log: { operation: unknown }[]
}

/** A row of `com.atproto.sync.listRepos`. */
export interface ListedRepo {
  did: string
  head: string
  rev: string
  active?: boolean
  status?: string
}

/** Everything that a pipeline could see of a network, as it was sent. */
export interface Recording {
  /** Messages of `subscribeRepos`, in order. */
  frames: Uint8Array[]
  /** Messages of `subscribeLabels`, in order. */
  labelFrames: Uint8Array[]
  repos: Map<string, RecordedRepo>
  cars: Uint8Array[]
  listRepos: ListedRepo[]
  dids: Map<string, RecordedDid>
  /** DIDs by handle. */
  handles: Record<string, string>
  /** The PDS that the recorded DID documents name. */
  pdsUrl: string
  labelerDid: string
}

/** Reads a recording; `fixtures/network-basic/README.md` tells the files and their format. */
export async function readRecording(folder: string): Promise<Recording> {
  const input = (name: string): string => path.join(folder, 'inputs', name)
  const [manifest, frames, labelFrames, repos, cars, pages, dids, handles] = await Promise.all([
    readJson<{ inputs: { pds: string } }>(path.join(folder, 'manifest.json')),
    readFrames(input('subscribeRepos.frames.gz')),
    readFrames(input('subscribeLabels.frames.gz')),
    readJson<RecordedRepo[]>(input('repos.json')),
    readFrames(input('repos.cars.gz')),
    readJson<{ body: { repos: ListedRepo[] } }[]>(input('listRepos.json')),
    readJsonLines<RecordedDid>(input('did-docs.jsonl.gz')),
    readJson<Record<string, string>>(input('handles.json')),
  ])
  return {
    frames,
    labelFrames,
    repos: new Map(repos.map((repo) => [repo.did, repo])),
    cars,
    listRepos: pages.flatMap((page) => page.body.repos),
    dids: new Map(dids.map((entry) => [entry.did, entry])),
    handles,
    pdsUrl: manifest.inputs.pds,
    labelerDid: labelFrames[0] ? sourceOf(labelFrames[0]) : '',
  }
}

function sourceOf(labelFrame: Uint8Array): string {
  const [label] = decodeFrame(labelFrame).body['labels'] as { src: string }[]
  return label?.src ?? ''
}

const unzip = promisify(gunzip)

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T
}

async function readJsonLines<T>(file: string): Promise<T[]> {
  const text = (await unzip(await readFile(file))).toString()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/** Repeated: length as an unsigned 32-bit number, big end first, then so many bytes. */
async function readFrames(file: string): Promise<Uint8Array[]> {
  const bytes = await unzip(await readFile(file))
  const frames: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length;) {
    const start = offset + 4
    offset = start + bytes.readUInt32BE(offset)
    frames.push(bytes.subarray(start, offset))
  }
  return frames
}
