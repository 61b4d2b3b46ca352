import { openAppView, serveHttp, type AppViewSummary } from '@millrace/appview'
import { createEvent, deleteEvent, describePlugin } from '@millrace/indexing/testing'
import { startPostgres } from '@millrace/local-services'
import { startProcess } from '@millrace/runtime/testing'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { getStatuses } from './get-statuses.ts'
import { serve } from './serve.ts'
import { Simulation } from './simulation.ts'
import { statusLexicon, statusphere, statusPlugin } from './statusphere.ts'

type Answer = Awaited<ReturnType<typeof getStatuses>>

const postgres = await startPostgres()
const folder = await mkdtemp(path.join(tmpdir(), 'statusphere-test-'))
afterAll(async () => {
  await postgres.close()
  await rm(folder, { recursive: true, force: true })
})

const status = (text: string) => ({ $type: statusLexicon.id, status: text, createdAt: '2026-01-15T10:00:00Z' })
const happy = createEvent({ did: 'did:plc:alice', record: status('🙂') })
const sad = createEvent({ did: 'did:plc:alice', record: status('🙁') })

describePlugin(statusPlugin, {
  sets: [statusphere],
  database: () => postgres.url,
  cases: {
    'a status is one row, and counted': {
      events: [happy],
      rows: {
        status: [{ creator: 'did:plc:alice', status: '🙂', createdAt: '2026-01-15T10:00:00.000Z' }],
        status_count: [{ status: '🙂', count: 1 }],
      },
      update: { record: status('😀'), rows: { status: [{ status: '😀' }] } },
    },
    'a status that was taken back is not counted': {
      events: [happy, sad, deleteEvent(happy)],
      rows: { status: [{ status: '🙁' }] },
    },
    'two characters are no status': {
      events: [createEvent({ did: 'did:plc:alice', record: status('🙂🙂') })],
      rows: { status: [], record: [] },
    },
  },
})

test(
  'the statuses of a network are indexed, of repos and of the firehose, and answered',
  { timeout: 90_000 },
  async () => {
    await using simulation = await Simulation.start({ accounts: 10, statuses: 20, everyMs: 1 })
    await using appview = await openAppView({
      network: simulation.place,
      set: statusphere,
      folder: path.join(folder, 'whole'),
      schema: 'whole',
      databaseUrl: postgres.url,
    })
    const { database } = appview
    const stop = new AbortController()
    const running = appview.run(stop.signal)
    try {
      await appview.indexed(stop.signal)
      await simulation.write(stop.signal)
      await appview.indexed(stop.signal, simulation.head())
    } finally {
      stop.abort()
      await running
    }

    const written = simulation.network.records().filter(({ uri }) => uri.split('/')[3] === statusLexicon.id)
    const { rows } = await database.pool.query<{ uri: string }>('select uri from status')
    expect(rows.map(({ uri }) => uri).sort()).toEqual(written.map(({ uri }) => uri).sort())
    const others = await database.pool.query(`select uri from record where uri not like '%/${statusLexicon.id}/%'`)
    expect(others.rows).toEqual([])

    // Of ten accounts four have a status.
    expect(simulation.network.requests['com.atproto.sync.getRepo']).toBeLessThanOrEqual(2 * 4)
    expect((await database.pool.query('select did from actor')).rows).toHaveLength(4)

    await using server = await serveHttp(serve(appview), 0)
    const ask = (query: string): Promise<Response> => fetch(`${server.url}xrpc/xyz.statusphere.getStatuses?${query}`)
    const { statuses } = (await (await ask('')).json()) as Answer
    const authors = new Set(written.map(({ uri }) => uri.split('/')[2]!))
    expect(statuses.map(({ did }) => did).sort()).toEqual([...authors].sort())
    expect(statuses).toEqual(statuses.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)))
    for (const { did, handle } of statuses) expect(handle).toBe(simulation.network.account(did).handle)
    expect(((await (await ask('limit=2')).json()) as Answer).statuses).toEqual(statuses.slice(0, 2))
    expect((await ask('limit=0')).status).toBe(400)

    const page = await fetch(server.url)
    expect(page.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'")
    expect(await page.text()).toContain('<script type="module" src="page.js">')

    // What a page that is open is told: all there is, and then each change.
    const live = await fetch(`${server.url}live`)
    expect(live.headers.get('content-type')).toContain('text/event-stream')
    const told = messages(live.body!)
    expect(await next(told)).toEqual({ statuses })
    await database.pool.query('delete from status where creator = $1', [statuses[0]!.did])
    expect(await next(told)).toEqual({ statuses: statuses.slice(1) })
    await told.return()
  },
)

/** The data of server-sent events. */
async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<Answer, void, void> {
  let text = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop()!
    for (const part of parts) yield JSON.parse(part.replace(/^data: /, '')) as Answer
  }
}

async function next(told: AsyncGenerator<Answer, void, void>): Promise<Answer | void> {
  return (await told.next()).value
}

test('a simulated network goes on writing, also for accounts that had no status', async () => {
  await using simulation = await Simulation.start({ accounts: 4, statuses: Infinity, everyMs: 1 })
  const authors = (): number =>
    simulation.network.accounts.filter((account) => account.records().some(({ uri }) => uri.includes(statusLexicon.id)))
      .length
  expect(authors()).toBe(2)
  const stop = new AbortController()
  const writing = simulation.write(stop.signal)
  try {
    await expect.poll(authors, { timeout: 20_000 }).toBe(4)
  } finally {
    stop.abort()
    await writing
  }
})

const main = path.join(import.meta.dirname, 'main.ts')
const cache = process.env['XDG_CACHE_HOME'] ?? path.join(process.env['HOME'] ?? folder, '.cache')

test('the command reads a relay, and ends once all is indexed', { timeout: 90_000 }, async () => {
  await using simulation = await Simulation.start({ accounts: 9, statuses: 0, everyMs: 1 })
  const { network } = simulation
  await using example = startProcess({
    main,
    args: [
      '--relay',
      network.relayUrl,
      '--exit-when-idle',
      '--json',
      '--port',
      '0',
      '--data',
      path.join(folder, 'data'),
    ],
    env: {
      HOME: folder,
      XDG_CACHE_HOME: cache,
      DID_PLC_URL: network.plcUrl,
      HANDLE_RESOLVER_URL: network.handleResolverUrl,
      MILLRACE_ALLOW_PRIVATE_HOSTS: '1',
    },
  })
  expect({ code: await example.ended, stderr: example.output().stderr }).toMatchObject({ code: 0 })
  expect(JSON.parse(example.output().stdout)).toEqual({
    network: network.relayUrl,
    repos: { listed: 3, fetched: 3 },
    records: { [statusLexicon.id]: 6 },
    deadLetters: {},
  } satisfies AppViewSummary)
})

test('what does not hold is refused before anything is opened', { timeout: 90_000 }, async () => {
  await using refused = startProcess({ main, args: ['--port', 'x'], env: {} })
  await using helped = startProcess({ main, args: ['--help'], env: {} })
  expect({ code: await refused.ended, ...refused.output() }).toEqual({
    code: 2,
    stdout: '',
    stderr: 'statusphere: --port is no whole number from 0 to 65535: x\n',
  })
  expect({ code: await helped.ended, ...helped.output() }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^An AppView for xyz\.statusphere\.status.*\n(.*\n)*.*default: 4100/),
  })
})

test('the tutorial shows what is here', async () => {
  const read = (file: string): Promise<string> => readFile(path.join(import.meta.dirname, file), 'utf8')
  const tutorial = await read('../../../docs/tutorial-appview.md')
  const files = [...tutorial.matchAll(/examples\/statusphere\/src\/([a-z.-]+\.ts)/g)].map(([, file]) => read(file!))
  const sources = (await Promise.all(files)).join('\n')
  const blocks = [...tutorial.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block]) => block!)
  expect(blocks.length).toBeGreaterThan(4)
  for (const block of blocks) expect(sources).toContain(block)
})
