import type { ListEntriesEntry } from '@millrace/admin-api'
import { jsonObject } from '@millrace/diagnosis'
import { entryTime, type StoredFields } from '@millrace/stream-protocol'
import { describeEntry } from './describe-entry.ts'
import { defineMethod, entryCursor, storeOf } from './method.ts'

const PAGE = 500
/** Requests to a page of ours, where only some entries are asked for (hazard M7). */
const MOST_PAGES = 20
const MOST_CHARACTERS = 20_000

export const listEntries = defineMethod({
  name: 'listEntries',
  role: 'viewer',
  run: async ({ stream, did, collection, limit = 50, cursor }, context) => {
    const store = storeOf(context)
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
        const text = JSON.stringify(fields)
        if ((did === undefined || text.includes(did)) && (collection === undefined || isOf(collection, fields)))
          entries.push({
            id,
            at: new Date(entryTime(id)).toISOString(),
            event: describeEntry(entry),
            fields: text.slice(0, MOST_CHARACTERS),
          })
      }
    }
    return { entries, ...(!isOver && { cursor: after }) }
  },
})

function isOf(collection: string, fields: StoredFields['fields']): boolean {
  return Object.values(fields).some((text) => jsonObject(text)?.['collection'] === collection)
}
