import { backfillerLoops } from '@millrace/backfiller'
import {
  collectFrames,
  recordedRepos,
  startRecordedNetwork,
  startSimulatedNetwork,
  type RecordedNetwork,
  type RepoAtEnd,
  type SimulatedNetwork,
} from '@millrace/dev-network'
import { createGuardedFetch, DidResolver } from '@millrace/identity'
import { IndexingService } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { BackfillIngester, decodeFrame, FirehoseIngester, frameToEvents, LabelerIngester } from '@millrace/ingest'
import { compareWithOracle, renderAnomalies } from '@millrace/oracle'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import {
  backfillEventCodec,
  groups,
  INGESTER_DONE,
  labelEventCodec,
  noMeter,
  recordUri,
  silentLogger,
  streamEventCodec,
  streams,
  type StreamEvent,
  type StreamStore,
} from '@millrace/stream-protocol'
import { eventually as soon, pgTest, redisTest, serviceTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { endOfSimulation } from '../compare/simulated-end.ts'
import { LAST_LABELS, recordingFolder } from '../pipeline/recording.ts'
import { leftInTables } from '../pipeline/until-nothing-is-left.ts'
import { AppsInProcess } from '../pipeline/apps-in-process.ts'
import {
  asReferenceReads,
  asReferenceReadsLabel,
  referenceEvents,
  referenceLabels,
  type ReferenceEvent,
  type ReferenceRepo,
} from './reference-entries.ts'
import { ReferenceServices } from './reference-services.ts'

const eventually = <T>(assertion: () => T | Promise<T>) => soon(assertion, { timeoutMs: 60_000 })
const drained = { length: 0, pending: 0 }
/** A page of repos. */
const PAGE = 50

describe('services that are taken over one by one', () => {
  serviceTest(
    'leave nothing behind: what they wrote is indexed, what they had in hand is done, and reading goes on at their cursors',
    { timeout: 300_000 },
    async ({ redisUrl, databaseUrl }) => {
      await using network = await startSimulatedNetwork({ accounts: 12, recordsPerAccount: 10, labels: 10 })
      await using reference = await ReferenceServices.connect(redisUrl, network)
      await using ours = await AppsInProcess.open({ redisUrl, databaseUrl, network, consumer: 'one' })
      const head = await network.write(60)
      const live = await reference.ingest(head - 50)
      await reference.ingestLabels(6)
      await reference.list(8)

      // Its indexer has done 80 entries and holds 40; its backfiller has done 2 repos and holds 3.
      const done = (await reference.read(streams.firehoseLive, 'one', 120)).slice(0, 80)
      await indexTexts(
        ours,
        done.map(({ text }) => text),
      )
      await reference.ack(streams.firehoseLive, done)
      const fetched = (await reference.read(streams.repoBackfill, 'one', 5)).slice(0, 2)
      const repos = fetched.map(({ text }) => (JSON.parse(text) as ReferenceRepo).did)
      for (const repo of endOfSimulation(network).repos) if (repos.includes(repo.did)) await reference.unpack(repo)
      await reference.ack(streams.repoBackfill, fetched)

      // Its ingester and its backfiller go on while our indexer takes the place of its own.
      await ours.startIndexer()
      const more = await reference.ingest(head)
      const written = live.length + more.length
      await eventually(async () => {
        expect(await reference.position(streams.firehoseLive)).toEqual({ added: written, read: written, ...drained })
        expect(await reference.position(streams.firehoseBackfill)).toMatchObject(drained)
        expect(await reference.position(streams.labelLive)).toMatchObject(drained)
      })
      expect(await reference.position(streams.repoBackfill)).toEqual({ added: 8, read: 5, length: 6, pending: 3 })

      ours.startBackfiller()
      await eventually(async () =>
        expect(await reference.position(streams.repoBackfill)).toEqual({ added: 8, read: 8, ...drained }),
      )

      await network.account(2).remove()
      await network.write(30)
      await ours.startIngester()
      await eventually(async () => {
        expect(await reference.cursor(streams.firehoseLive)).toBe(String(network.head()))
        expect(await reference.cursor(streams.labelLive)).toBe('10')
        expect(await reference.cursor(streams.repoBackfill)).toBe(INGESTER_DONE)
      })
      await eventually(async () => {
        // Some wait for a minute, in case that more of the same account is on its way.
        await ours.database.pool.query('update millrace_dirty set next_at = now() where attempts = 0')
        expect(await leftInTables(ours.database.pool, { thorough: true })).toEqual([])
        for (const stream of Object.values(streams)) expect(await reference.position(stream)).toMatchObject(drained)
      })
      const rest = await ourEvents(network, { after: head })
      expect((await reference.position(streams.firehoseLive)).added).toBe(written + rest.length)
      expect((await reference.position(streams.labelLive)).added).toBe(10)
      const { pool, schema } = ours.database
      const anomalies = await compareWithOracle({ pool, schema, now: Date.now(), ...endOfSimulation(network) })
      expect(renderAnomalies(anomalies)).toBe('')
    },
  )

  redisTest(
    'can be given back: they read what ours have written, are given what ours had in hand, and go on at our cursors',
    { timeout: 300_000 },
    async ({ redisUrl, signal }) => {
      await using network = await startRecordedNetwork({ folder: recordingFolder })
      network.hold(1_200)
      const { listRepos, frames, labelFrames } = network.recording
      await using reference = await ReferenceServices.connect(redisUrl, network)
      await using store = await openStreams({ kind: 'redis', url: redisUrl, location: redisUrl, why: 'a test' })
      await ingestPart(store, network)
      network.release()

      // Our indexer has done one batch, and was killed with the next one in hand.
      let acked = 0
      for await (const batch of consumerOf(store).batches(signal)) {
        if (acked > 0) break
        acked = batch.entries.filter(({ event }) => event.type !== 'repo').length
        await batch.ack()
      }
      expect((await reference.position(streams.firehoseLive)).pending).toBeGreaterThan(50)

      await reference.ingest(network.head())
      const live = (await readAll(reference, streams.firehoseLive)).map(asReferenceReads)
      const expected = (await Promise.all(frames.map(referenceEvents))).flat()
      // What a `#sync` or an empty commit says is one event more here, which it takes for the end of a repo.
      expect(live.filter(({ type }) => type !== 'repo')).toEqual(expected.slice(acked))
      expect(await reference.position(streams.firehoseLive)).toMatchObject(drained)

      const labels = (await readAll(reference, streams.labelLive)).map(asReferenceReadsLabel)
      const sent = labelFrames.flatMap(referenceLabels)
      expect(labels).toEqual(sent.map(({ type, label }) => ({ type, label: { ...label, sig: undefined } })))

      // Our backfiller has done the page that our ingester listed; the rest is listed from our cursor.
      const repos = await backfill(store, network)
      const entries = (await readAll(reference, streams.firehoseBackfill)).map(asReferenceReads)
      const ends = new Map((await recordedRepos(network.recording)).map((end) => [end.did, end]))
      expect(repos.size).toBeGreaterThan(40)
      for (const did of repos)
        expect(asRepo(entries.filter((entry) => entry.did === did))).toEqual(asEnd(ends.get(did)!))
      while ((await reference.cursor(streams.repoBackfill)) !== INGESTER_DONE) await reference.list(PAGE)
      const listed = (await readAll(reference, streams.repoBackfill)).map((text) => JSON.parse(text) as ReferenceRepo)
      expect(listed.map(({ did }) => did)).toEqual(listRepos.slice(PAGE).map(({ did }) => did))
    },
  )

  pgTest(
    'may have destroyed the links of whole repos: such records are set aside, and come when their repo is fetched',
    async ({ databaseUrl }) => {
      await using database = await openMigratedDatabase({ url: databaseUrl })
      const indexing = await IndexingService.open({ database, plugins: appBskyPlugins })
      const link = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
      const withImage = (ref: unknown): StreamEvent => ({
        type: 'create',
        seq: -2,
        time: '2026-01-01T00:00:00.000Z',
        did: 'did:plc:alice',
        commit: 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
        rev: '3l4aaaaaaaa2a',
        collection: 'app.bsky.feed.post',
        rkey: '3l4aaaaaaaa2a',
        cid: 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
        record: {
          $type: 'app.bsky.feed.post',
          text: 'look',
          createdAt: '2026-01-01T00:00:00.000Z',
          embed: {
            $type: 'app.bsky.embed.images',
            images: [{ alt: '', image: { $type: 'blob', ref, mimeType: 'image/png', size: 10 } }],
          },
        },
      })
      const images = async () => (await database.pool.query('select "imageCid" from post_embed_image')).rows
      await indexing.index([withImage({ code: 85, version: 1, hash: { 0: 18, 1: 32 } })])
      expect(await images()).toEqual([])
      await indexing.index([withImage({ $link: link })])
      expect(await images()).toEqual([{ imageCid: link }])
    },
  )
})

/** What the services that are left have made of entries before. */
async function indexTexts({ database }: AppsInProcess, texts: readonly string[]): Promise<void> {
  const indexing = await IndexingService.open({
    database,
    plugins: appBskyPlugins,
    notificationHorizonMs: Number.POSITIVE_INFINITY,
  })
  await indexing.index(texts.map(streamEventCodec.decode))
}

/** What our ingester makes of the frames after one. */
async function ourEvents(network: SimulatedNetwork, { after }: { after: number }): Promise<StreamEvent[]> {
  const frames = await collectFrames({ host: network.relayUrl, cursor: after, count: network.head() - after })
  return frames.flatMap((bytes) => {
    const frame = decodeFrame(bytes)
    return frame.type === 'error' || frame.type === 'info' ? [] : frameToEvents(frame, { host: 'relay' }).events
  })
}

/** Our ingester: as much of the firehose as is sent, all labels, and one page of repos. */
async function ingestPart(store: StreamStore, { relayUrl: host, labelerUrl }: RecordedNetwork): Promise<void> {
  const { cursors } = store
  const stop = new AbortController()
  const firehose = new FirehoseIngester({
    host,
    cursors,
    startCursor: '0',
    sink: store.writer({ stream: streams.firehoseLive, codec: streamEventCodec }),
  })
  const labels = new LabelerIngester({
    host: labelerUrl,
    cursors,
    sink: store.writer({ stream: streams.labelLive, codec: labelEventCodec }),
  })
  const sink = store.writer({ stream: streams.repoBackfill, codec: backfillEventCodec })
  const list = new BackfillIngester({ host, cursors, sink, pageLimit: PAGE, maxRepos: PAGE })
  const running = [firehose, labels, list].map((loop) => loop.run(stop.signal))
  try {
    await eventually(() => {
      expect(firehose.status().cursor).toBe('1200')
      expect(labels.status().cursor).toBe(String(LAST_LABELS))
      expect(list.status().repos).toBe(PAGE)
    })
  } finally {
    stop.abort()
    await Promise.all(running)
  }
}

/** Our backfiller, over all that is listed. @returns the repos that there are. */
async function backfill(store: StreamStore, { plcUrl, recording }: RecordedNetwork): Promise<Set<string>> {
  const stop = new AbortController()
  const fetch = createGuardedFetch({ allowPrivateHosts: true })
  const loops = backfillerLoops({
    store,
    consumer: 'one',
    resolver: new DidResolver({ fetch, plcUrl, allowPrivateHosts: true }),
    fetch,
    logger: silentLogger,
    meter: noMeter,
  })
  const running = loops.map((loop) => loop.run(stop.signal))
  try {
    await eventually(async () => expect((await store.status([streams.repoBackfill]))[0]).toMatchObject({ length: 0 }))
  } finally {
    stop.abort()
    await Promise.all(running)
  }
  const listed = recording.listRepos.slice(0, PAGE).filter(({ active = true }) => active)
  return new Set(listed.map(({ did }) => did))
}

const consumerOf = (store: StreamStore) =>
  store.consumer({
    stream: streams.firehoseLive,
    group: groups.firehose,
    consumer: 'one',
    codec: streamEventCodec,
    batchSize: 100,
  })

/** Everything that the reference's consumer is given, done and acked. */
async function readAll(reference: ReferenceServices, stream: string): Promise<string[]> {
  const texts: string[] = []
  for (;;) {
    const entries = await reference.read(stream, 'one', 500)
    if (entries.length === 0) return texts
    texts.push(...entries.map(({ text }) => text))
    await reference.ack(stream, entries)
  }
}

/** A repo as its entries have it: creates, then once where it is. */
function asRepo(entries: readonly ReferenceEvent[]) {
  const last = entries.at(-1)
  return {
    records: entries.slice(0, -1).map((entry) => {
      if (entry.type !== 'create') throw new Error(`a ${entry.type} in the middle of a repo`)
      const { did, collection, rkey, cid, record, seq } = entry
      return { uri: recordUri({ did, collection, rkey }), cid, record, isBackfill: seq < 0 }
    }),
    end: last?.type === 'repo' ? { rev: last.rev, commit: last.commit } : null,
  }
}

function asEnd({ rev, commit, records }: RepoAtEnd): ReturnType<typeof asRepo> {
  const inOrder = records.toSorted((a, b) => (a.uri < b.uri ? -1 : 1))
  return {
    records: inOrder.map(({ uri, cid, record }) => ({ uri, cid, record: record!, isBackfill: true })),
    end: { rev, commit },
  }
}
