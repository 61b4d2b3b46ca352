import { isDeepStrictEqual } from 'node:util'

type Entry = Record<string, unknown>

/** What the reference says of an operation; ours say more. */
const fields = ['type', 'seq', 'time', 'did', 'commit', 'rev', 'collection', 'rkey', 'cid', 'record'] as const
const isOp = ({ type }: Entry): boolean => type === 'create' || type === 'update' || type === 'delete'

/**
 * Names the operations that two systems made different entries of, whatever their order: the reference works on ten at a
 * time. What is no operation is not compared: the reference has no event for commits without any.
 */
export function compareEntries(ours: readonly string[], reference: readonly string[]): string[] {
  const expected = opsOf(reference)
  const differences: string[] = []
  for (const [key, op] of opsOf(ours)) {
    const other = expected.get(key)
    if (!other) differences.push(`${key} is ours alone`)
    else
      for (const field of fields)
        if (!isDeepStrictEqual(op[field], other[field]))
          differences.push(`${key}: ${field} is ${JSON.stringify(op[field])}, not ${JSON.stringify(other[field])}`)
    expected.delete(key)
  }
  return [...differences, ...expected.keys().map((key) => `${key} is missing`)]
}

function opsOf(texts: readonly string[]): Map<string, Entry> {
  const ops = texts.map((text) => JSON.parse(text) as Entry).filter(isOp)
  return new Map(ops.map((op) => [`${String(op['seq'])} ${String(op['collection'])}/${String(op['rkey'])}`, op]))
}
