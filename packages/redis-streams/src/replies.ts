import type { StoredEntry } from '@millrace/stream-protocol/store-kit'
import { UnexpectedReplyError } from './errors.ts'

/** A reply of Redis in its older protocol, RESP 2: no maps, so every version answers in one shape. */
export type Reply = string | number | null | Reply[]

export function asList(reply: Reply | undefined, what: string): Reply[] {
  if (Array.isArray(reply)) return reply
  throw new UnexpectedReplyError(`${what} is not a list`)
}

export function asText(reply: Reply | undefined, what: string): string {
  if (typeof reply === 'string') return reply
  throw new UnexpectedReplyError(`${what} is not text`)
}

export function asInteger(reply: Reply | undefined, what: string): number {
  if (typeof reply === 'number') return reply
  throw new UnexpectedReplyError(`${what} is not an integer`)
}

/** Names and values that follow each other in one list, as the XINFO commands answer. */
export function asMap(reply: Reply | undefined, what: string): Map<string, Reply> {
  const list = asList(reply, what)
  const map = new Map<string, Reply>()
  for (let i = 0; i + 1 < list.length; i += 2) map.set(asText(list[i], what), list[i + 1] ?? null)
  return map
}

/** The entries in a reply of XREADGROUP, XRANGE or XAUTOCLAIM. A body that was deleted is null. */
export function asEntries(reply: Reply | undefined, field: string): StoredEntry[] {
  return asList(reply, 'entries').map((entry) => {
    const [id, body] = asList(entry, 'entry')
    return { id: asText(id, 'entry id'), text: textOf(body ?? null, field) }
  })
}

function textOf(body: Reply, field: string): StoredEntry['text'] {
  if (body === null) return null
  const fields = asList(body, 'entry body')
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (fields[i] === field) return asText(fields[i + 1], 'field of an entry')
  return undefined
}
