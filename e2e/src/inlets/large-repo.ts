import { hash } from 'node:crypto'
import { encode } from '@atproto/lex-cbor'

/** A record as it stands in a repo. */
export type RecordBlock = readonly [path: string, block: Uint8Array]

const digits = '234567abcdefghijklmnopqrstuvwxyz'
/** Long ago: nobody is to be told of them. */
const firstAt = Date.UTC(2023, 0, 1)

/** A TID for each number, in their order. */
export function rkeyOf(index: number): string {
  let rest = BigInt((firstAt + index * 20) * 1_000) << 10n
  let tid = ''
  while (tid.length < 13) {
    tid = digits[Number(rest & 31n)]! + tid
    rest >>= 5n
  }
  return tid
}

function createdAt(index: number): string {
  return new Date(firstAt + index * 20).toISOString()
}

/** @param characters of its text and of what it links to, together. */
export function post(index: number, characters: number): RecordBlock {
  const words = hash('sha256', String(index)).repeat(Math.ceil(characters / 64))
  const record = {
    $type: 'app.bsky.feed.post',
    text: words.slice(0, Math.min(200, characters)),
    createdAt: createdAt(index),
    ...(characters > 200 && {
      embed: {
        $type: 'app.bsky.embed.external',
        external: { uri: 'https://example.com/', title: `${index}`, description: words.slice(200, characters) },
      },
    }),
  }
  return [`app.bsky.feed.post/${rkeyOf(index)}`, encode(record)]
}

/** Whoever is in the list: as long as any. */
const anybody = `did:plc:${'a'.repeat(24)}`

/** Records of one list, each with somebody else in it. Nobody else's rows change with them. */
function listItems(did: string): (index: number) => RecordBlock {
  const list = `at://${did}/app.bsky.graph.list/all`
  const made = encode({ $type: 'app.bsky.graph.listitem', subject: anybody, list, createdAt: createdAt(0) })
  // To encode a million of them would take longer than all else.
  const template = Buffer.from(made)
  const subjectAt = template.indexOf(anybody) + 'did:plc:'.length
  const createdAtAt = template.indexOf(createdAt(0))
  return (index) => {
    const block = Buffer.from(template)
    block.write(rkeyOf(index).slice(-10, -2).repeat(3), subjectAt, 'latin1')
    block.write(createdAt(index), createdAtAt, 'latin1')
    return [`app.bsky.graph.listitem/${rkeyOf(index)}`, block]
  }
}

/** What a record takes in a file beside its block: its CID twice, and its part of the tree. */
const BESIDE_RECORD = 130

/** Long posts of about so many bytes as a file. */
export function manyBytes(bytes: number): RecordBlock[] {
  const records: RecordBlock[] = []
  for (let size = 0; size < bytes; size += records.at(-1)![1].length + BESIDE_RECORD)
    records.push(post(records.length, 2_000))
  return records
}

/** So many short records. */
export function manyRecords(did: string, count: number): RecordBlock[] {
  const itemOf = listItems(did)
  return Array.from({ length: count }, (_, index) => itemOf(index))
}
