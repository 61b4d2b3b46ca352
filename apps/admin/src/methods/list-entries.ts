import type { ListEntriesEntry } from '@millrace/admin-api'
import { jsonObject } from '@millrace/diagnosis'
import { entryTime, isObject, type StoredFields } from '@millrace/stream-protocol'
import { describeEntry } from './describe-entry.ts'
import { defineMethod, entryCursor } from './method.ts'
import { storeOfStream } from './named-stream.ts'

const PAGE = 500
/** Requests to a page of ours, where only some entries are asked for (hazard M7). */
const MOST_PAGES = 20
const MOST_CHARACTERS = 20_000

export const listEntries = defineMethod({
  name: 'listEntries',
  role: 'viewer',
  run: async ({ stream, did, collection, limit = 50, cursor }, context) => {
    const store = await storeOfStream({ stream }, context)
    const entries: ListEntriesEntry[] = []
    let after = entryCursor(cursor)
    let isOver = false
    const isSearch = did !== undefined || collection !== undefined
    for (let pages = 0; pages < MOST_PAGES && entries.length < limit && !isOver; pages++) {
      const size = isSearch ? PAGE : limit
      const page = await store.read(stream, { after, limit: size })
      isOver = page.length < size
      for (const entry of page) {
        const { id, fields } = entry
        if (entries.length === limit) {
          isOver = false
          break
        }
        after = id
        if ((did === undefined || isOfAccount(did, fields)) && (collection === undefined || isOf(collection, fields)))
          entries.push({
            id,
            at: new Date(entryTime(id)).toISOString(),
            event: describeEntry(entry),
            fields: JSON.stringify(fields).slice(0, MOST_CHARACTERS),
          })
      }
    }
    return { entries, ...(!isOver && { cursor: after }) }
  },
})

/** What others write about an account is not of it; a label on it is. What cannot be read may be. */
function isOfAccount(did: string, fields: StoredFields['fields']): boolean {
  return Object.values(fields).some((text) => {
    const event = jsonObject(text)
    if (!event) return text.includes(did)
    if (!isObject(event['label'])) return event['did'] === did
    const uri = String(event['label']['uri'])
    return uri === did || uri.startsWith(`at://${did}/`)
  })
}

function isOf(collection: string, fields: StoredFields['fields']): boolean {
  return Object.values(fields).some((text) => jsonObject(text)?.['collection'] === collection)
}
