import { readStreamEvent, type JsonObject } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { withLargeRecords } from './with-large-records.ts'
import { generateWorkload } from './workload.ts'

test('large records stand between the others, which stay as they are', () => {
  const events = generateWorkload({ events: 3000 })
  const all = [...withLargeRecords(events)]
  const articles = all.filter((event) => event.collection === 'com.whtwnd.blog.entry')
  expect(all.filter((event) => !articles.includes(event))).toEqual(events)
  for (const article of articles) readStreamEvent(article as unknown as JsonObject)
  expect(new Set(articles.map(({ did, rkey }) => `${did}/${rkey}`)).size).toBe(articles.length)
  const kilobytes = articles.map((article) => Math.floor(JSON.stringify(article).length / 1024))
  expect(kilobytes).toEqual([20, 60, 150, ...Array.from({ length: 40 }, () => 900), 400, 900, 20])
})
