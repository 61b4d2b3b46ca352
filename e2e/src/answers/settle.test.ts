import { expect, test } from 'vitest'
import { settle } from './settle.ts'

const end = '2026-01-01T04:00:00.000Z'
const [before, after] = [Date.parse(end) - 1, Date.parse(end) + 1]

test.each([
  {
    name: 'a status is active until its end',
    nsid: 'app.bsky.actor.getProfile',
    body: { status: { expiresAt: end, isActive: true } },
    at: before,
    settled: { status: { expiresAt: end } },
  },
  {
    name: 'a status that says it is active after its end keeps saying so',
    nsid: 'app.bsky.actor.getProfile',
    body: { status: { expiresAt: end, isActive: true } },
    at: after,
    settled: { status: { expiresAt: end, isActive: true } },
  },
  {
    name: 'of known followers it is known how many there are',
    nsid: 'app.bsky.actor.getProfile',
    body: { viewer: { knownFollowers: { count: 7, followers: [{ did: 'did:plc:a' }] } } },
    at: before,
    settled: { viewer: { knownFollowers: { count: 7 } } },
  },
  {
    name: 'known followers have no order',
    nsid: 'app.bsky.graph.getKnownFollowers',
    body: { followers: [{ did: 'did:plc:b' }, { did: 'did:plc:a' }] },
    at: before,
    settled: { followers: [{ did: 'did:plc:a' }, { did: 'did:plc:b' }] },
  },
  {
    name: 'followers have one',
    nsid: 'app.bsky.graph.getFollowers',
    body: { followers: [{ did: 'did:plc:b' }, { did: 'did:plc:a' }] },
    at: before,
    settled: { followers: [{ did: 'did:plc:b' }, { did: 'did:plc:a' }] },
  },
  {
    name: 'a notification is read when it is older than what was seen',
    nsid: 'app.bsky.notification.listNotifications',
    body: {
      seenAt: '2026-01-01T00:00:01.000Z',
      notifications: [
        { indexedAt: '2026-01-01T00:00:02.000Z', isRead: true },
        { indexedAt: '2026-01-01T00:00:01.000Z', isRead: false },
        { indexedAt: '2026-01-01T00:00:00.000Z', isRead: true },
      ],
    },
    at: before,
    settled: {
      seenAt: '2026-01-01T00:00:01.000Z',
      notifications: [
        { indexedAt: '2026-01-01T00:00:02.000Z', isRead: true },
        { indexedAt: '2026-01-01T00:00:01.000Z' },
        { indexedAt: '2026-01-01T00:00:00.000Z' },
      ],
    },
  },
])('$name', ({ nsid, body, at, settled }) => {
  expect(settle(nsid, { status: 200, body }, at)).toEqual(settled)
})
