import { migrate, openDatabase } from '@millrace/database'
import { startRecordedNetwork } from '@millrace/dev-network'
import { IndexingService } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { createEvent } from '@millrace/indexing/testing'
import { recordUri, type RecordEvent, type RecordJson } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { askRecordedCalls } from '../answers/ask.ts'
import { readRecordedCalls, type RecordedCall } from '../answers/recorded-calls.ts'
import { recordingFolder } from '../pipeline/recording.ts'
import { AppView } from './appview.ts'

const createdAt = '2026-01-15T10:00:00.000Z'
const cid = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'
const post = (fields: RecordJson = {}): RecordJson => ({ $type: 'app.bsky.feed.post', text: '', createdAt, ...fields })
const embed = (uri: string): RecordJson => ({ $type: 'app.bsky.embed.record', record: { uri, cid } })

/** Times that the lexicons let pass and few programs can read. */
const times = [
  '0000-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999999999Z',
  '2026-01-15T10:00:00',
  '2016-12-31T23:59:60Z',
]

/** Values of unknown fields: what data may have and objects of JavaScript, links, bytes and blobs are not. */
const values = ['{"__proto__":{}}', '{"$link":"x","more":1}', '{"$bytes":1}', '{"$type":1}', '{"$type":"blob"}'].map(
  (text) => JSON.parse(text) as RecordJson,
)

/** URIs that the lexicons let pass. */
const uris = [
  'at://handle.test',
  'at://handle.test/app.bsky.feed.post/3kabcdefghijk',
  'at://did:plc:short',
  'at://did:plc:short/app.bsky.feed.post',
  'at://did:web:localhost%3A1/app.bsky.feed.post/3kabcdefghijk',
  'at://did:plc:short/app.bsky.feed.post/3kabcdefghijk#more',
]

/** Records that an author may write, each of an account of its own. */
function oddRecords(liked: { uri: string; cid: string }): RecordJson[] {
  const subject = (uri: string): RecordJson => ({ subject: { uri, cid }, createdAt })
  return [
    ...times.flatMap((createdAt) => [
      post({ createdAt }),
      { $type: 'app.bsky.actor.profile', createdAt },
      { $type: 'app.bsky.feed.like', subject: liked, createdAt },
      { $type: 'app.bsky.feed.repost', subject: liked, createdAt },
      { $type: 'chat.bsky.actor.declaration', createdAt },
    ]),
    ...values.flatMap((odd) => [
      post({ odd }),
      { $type: 'app.bsky.actor.profile', odd },
      { $type: 'app.bsky.actor.status', status: 'app.bsky.actor.status#live', createdAt, odd },
      { $type: 'chat.bsky.actor.declaration', allowIncoming: odd, createdAt: odd },
      { $type: 'com.germnetwork.declaration', version: '1', currentKey: { $bytes: 'AAAA' }, odd },
    ]),
    ...uris.flatMap((uri) => [
      post({ reply: { root: { uri, cid }, parent: liked } }),
      post({ reply: { root: liked, parent: { uri, cid } } }),
      post({ embed: embed(uri) }),
      post({ embed: { $type: 'app.bsky.embed.recordWithMedia', record: embed(uri), media: { $type: 'x.y.z' } } }),
      { $type: 'app.bsky.feed.like', ...subject(uri) },
      { $type: 'app.bsky.feed.like', subject: liked, via: { uri, cid }, createdAt },
      { $type: 'app.bsky.feed.repost', ...subject(uri) },
      { $type: 'app.bsky.feed.repost', subject: liked, via: { uri, cid }, createdAt },
      { $type: 'app.bsky.actor.profile', joinedViaStarterPack: { uri, cid }, pinnedPost: { uri, cid } },
      { $type: 'app.bsky.graph.starterpack', name: 'x', list: uri, createdAt },
    ]),
  ]
}

let accounts = 0
const newAccount = (): string =>
  `did:plc:${(accounts++)
    .toString(6)
    .replaceAll(/\d/g, (digit) => String(Number(digit) + 2))
    .padStart(24, 'a')}`

/** The record, and a post of somebody else that embeds it. */
function writtenAndEmbedded(record: RecordJson): RecordEvent[] {
  const isSelf = /^(app\.bsky\.actor|chat|com\.germnetwork)\./.test(String(record['$type']))
  const event = createEvent({ did: newAccount(), record, ...(isSelf && { rkey: 'self' }) })
  return [event, createEvent({ did: newAccount(), record: post({ embed: embed(recordUri(event)) }) })]
}

/** A post whose gate lets those of a list reply. */
function gated(list: string): RecordEvent[] {
  const event = createEvent({ did: newAccount(), record: post() })
  const allow = [{ $type: 'app.bsky.feed.threadgate#listRule', list }]
  const gate = { $type: 'app.bsky.feed.threadgate', post: recordUri(event), allow, hiddenReplies: [list], createdAt }
  return [event, createEvent({ did: event.did, rkey: event.rkey, record: gate })]
}

pgTest(
  'no record that we keep makes an answer of the AppView fail (J4, J10, J11)',
  { timeout: 120_000 },
  async ({ databaseUrl }) => {
    await using network = await startRecordedNetwork({ folder: recordingFolder })
    await using database = await openDatabase({ url: databaseUrl, pipeline: true })
    await migrate(database)
    const indexing = await IndexingService.open({ database, plugins: appBskyPlugins, notificationHorizonMs: Infinity })
    const recorded = await readRecordedCalls(recordingFolder)
    const viewer = Object.keys(recorded.viewerKeys)[0]!
    const liked = createEvent({ did: viewer, record: post() })
    const ref = { uri: recordUri(liked), cid: liked.cid }
    const odd = [...oddRecords(ref).flatMap(writtenAndEmbedded), ...uris.flatMap(gated)]
    const dids = [...new Set(odd.map(({ did }) => did))]
    const profile = createEvent({ did: viewer, rkey: 'self', record: { $type: 'app.bsky.actor.profile' } })
    const follows = dids.map((subject) =>
      createEvent({ did: viewer, record: { $type: 'app.bsky.graph.follow', subject, createdAt } }),
    )
    await indexing.index([liked, profile, ...odd, ...follows])

    await using appView = await AppView.start({ databaseUrl, network })
    /** Reads a list to its end, and says what the answers were that are none. */
    const failuresOf = async (method: string, params: RecordedCall['params']): Promise<string[]> => {
      for (let cursor: string | undefined, page = 0; ; page++) {
        const call = { nsid: `app.bsky.${method}`, params: { ...params, ...(cursor && { cursor }) }, viewer }
        const calls = [{ ...call, status: 200, body: null }]
        const [answer] = await askRecordedCalls(appView.url, { ...recorded, calls })
        if (answer?.status !== 200) return [`${method}, page ${page}: ${answer?.status}`]
        ;({ cursor } = answer.body as { cursor?: string })
        if (cursor === undefined) return []
      }
    }
    const failures = await Promise.all([
      failuresOf('feed.getTimeline', { limit: 50 }),
      failuresOf('notification.listNotifications', { limit: 50 }),
      failuresOf('feed.getPostThread', { uri: ref.uri }),
      failuresOf('unspecced.getPostThreadV2', { anchor: ref.uri }),
      failuresOf('feed.getLikes', { uri: ref.uri, limit: 50 }),
      failuresOf('feed.getRepostedBy', { uri: ref.uri, limit: 50 }),
      failuresOf('graph.getFollows', { actor: viewer, limit: 50 }),
      ...Array.from({ length: Math.ceil(dids.length / 25) }, (_, chunk) =>
        failuresOf('actor.getProfiles', { actors: dids.slice(chunk * 25, chunk * 25 + 25) }),
      ),
    ])
    expect(failures.flat()).toEqual([])
  },
)
