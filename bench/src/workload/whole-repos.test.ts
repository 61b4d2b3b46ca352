import {
  readStreamEvent,
  recordUri,
  type CreateEvent,
  type JsonObject,
  type RepoEvent,
} from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { snapshotOf, wholeRepos } from './whole-repos.ts'
import { generateWorkload } from './workload.ts'

const live = generateWorkload({ events: 4000, actors: 60 })
const snapshot = snapshotOf(live)
const events = wholeRepos(snapshot)

test('every event is valid, and none is of the firehose', () => {
  for (const event of events) readStreamEvent(event as unknown as JsonObject)
  expect(events.every((event) => event.seq === -1)).toBe(true)
})

test('a record is there once, at its newest version, unless it was deleted', () => {
  const newest = new Map(live.map((event) => [recordUri(event), event.type === 'delete' ? null : event.cid]))
  const left = [...newest].filter(([, cid]) => cid !== null)
  expect(left.length).toBeLessThan(newest.size)
  expect(new Map(creates(events).map((event) => [recordUri(event), event.cid]))).toEqual(new Map(left))
  expect(creates(events)).toHaveLength(left.length)
})

test('a snapshot has the records in the order in which they came to be', () => {
  const place = new Map(live.map((event, index) => [recordUri(event), index]))
  const places = snapshot.map((event) => place.get(recordUri(event))!)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
})

test('repos follow each other, each in the order of its tree and at one revision, closed by an event that counts it', () => {
  const closings = events.filter((event) => event.type === 'repo')
  expect(closings.map(({ did }) => did)).toEqual([...new Set(events.map(({ did }) => did))])
  let start = 0
  for (const closing of closings) {
    const records = creates(events.slice(start, start + closing.records!))
    const paths = records.map(({ collection, rkey }) => `${collection}/${rkey}`)
    expect(paths).toEqual(paths.toSorted())
    const { did, rev, commit, time } = closing
    for (const record of records) expect(record).toMatchObject({ did, rev, commit, time })
    start += closing.records! + 1
    expect(events[start - 1]).toBe(closing)
  }
  expect(start).toBe(events.length)
})

test('the revision of a repo is that of its last commit, and it is fetched after the last event', () => {
  const revs = new Map(live.map(({ did, rev }) => [did, rev]))
  const last = live.at(-1)!.time
  for (const event of events) {
    expect(event.rev).toBe(revs.get(event.did))
    expect(event.time > last).toBe(true)
  }
})

function creates(events: readonly (CreateEvent | RepoEvent)[]): CreateEvent[] {
  return events.filter((event) => event.type === 'create')
}
