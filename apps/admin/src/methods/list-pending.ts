import { readEntry } from '@millrace/diagnosis'
import { describeEntry } from './describe-entry.ts'
import { defineMethod, entryCursor } from './method.ts'
import { storeOfStream } from './named-stream.ts'

/** Entries to a request, where some are left out. */
const PAGE = 500
/** Requests to a page of ours: what is left out costs as well (hazard M7). */
const MOST_PAGES = 20

export const listPending = defineMethod({
  name: 'listPending',
  role: 'viewer',
  run: async ({ stream, group, consumer, minIdleSeconds = 0, limit = 50, cursor }, context) => {
    const store = await storeOfStream({ stream, group }, context)
    const found = []
    let after = entryCursor(cursor)
    let isOver = false
    for (let pages = 0; pages < MOST_PAGES && found.length < limit && !isOver; pages++) {
      const page = await store.pending(stream, group, { after, limit: PAGE })
      isOver = page.length < PAGE
      for (const entry of page) {
        if (found.length === limit) {
          isOver = false
          break
        }
        after = entry.id
        if ((consumer !== undefined && entry.consumer !== consumer) || entry.idleMs < minIdleSeconds * 1_000) continue
        found.push(entry)
      }
    }
    const entries = await Promise.all(
      found.map(async ({ id, consumer, idleMs, deliveries }) => {
        const entry = await readEntry(store, stream, id)
        return {
          id,
          consumer,
          idleSeconds: Math.round(idleMs / 1_000),
          ...(deliveries !== null && { deliveries }),
          ...(entry && { event: describeEntry(entry) }),
        }
      }),
    )
    return { entries, ...(!isOver && { cursor: after }) }
  },
})
