import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { openDatabase } from '@millrace/database'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import { recordUri, streamEventCodec } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { afterAll, describe, expect, inject } from 'vitest'
import type { StatusTables } from './own-lexicon/statusphere.ts'
import { createEvent, deleteEvent } from './testing/index.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-own-lexicon-'))
afterAll(() => rm(folder, { recursive: true }))

/** Starts a file of the example as its readers do. */
function start(file: string, env: { [name: string]: string }) {
  const child = spawn(
    process.execPath,
    ['--conditions=@millrace/source', path.join(import.meta.dirname, 'own-lexicon', file)],
    { env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { child, ended: ended.then(([[code], stdout, stderr]) => ({ code: code as number | null, stdout, stderr })) }
}

describe('a lexicon of one’s own, as the README shows it', { timeout: 120_000 }, () => {
  pgTest('is indexed, counted and read back', async ({ databaseUrl }) => {
    for (const outcome of ['applied', 'duplicate']) {
      expect(await start('main.ts', { DATABASE_URL: databaseUrl }).ended).toEqual({
        code: 0,
        stdout: `[ '${outcome}' ]\n[ { creator: 'did:plc:alice', handle: null, status: '🌊' } ] [ { status: '🌊', count: 1 } ]\n`,
        stderr: '',
      })
    }
  })

  pgTest('comes out of a stream, and nothing else with it (X10)', async ({ databaseUrl }) => {
    const STREAMS_FILE = path.join(folder, 'streams.db')
    await using store = await openSqliteStreams({ file: STREAMS_FILE })
    const status = (text: string) => ({
      $type: 'xyz.statusphere.status',
      status: text,
      createdAt: '2026-01-15T10:00:00Z',
    })
    const [alice, bob] = ['did:plc:alice', 'did:plc:bob'].map((did) => createEvent({ did, record: status('🌊') }))
    const post = createEvent({ did: 'did:plc:alice', record: { $type: 'app.bsky.feed.post', text: '', createdAt: '' } })
    await store
      .writer({ stream: 'firehose_live', codec: streamEventCodec })
      .append([alice!, post, bob!, deleteEvent(alice!)])

    const { child, ended } = start('indexer.ts', { DATABASE_URL: databaseUrl, STREAMS_FILE })
    try {
      await eventually(async () => expect(await store.status(['firehose_live'])).toMatchObject([{ length: 0 }]), {
        timeoutMs: 60_000,
      })
    } finally {
      child.kill('SIGTERM')
    }
    expect(await ended).toEqual({ code: 0, stdout: '', stderr: '' })

    await using database = await openDatabase({ url: databaseUrl, schema: 'statusphere' })
    const db = database.db.withTables<StatusTables>()
    expect(await db.selectFrom('status').select(['uri', 'creator', 'status', 'createdAt']).execute()).toEqual([
      { uri: recordUri(bob!), creator: 'did:plc:bob', status: '🌊', createdAt: '2026-01-15T10:00:00.000Z' },
    ])
    expect(await db.selectFrom('status_count').selectAll().execute()).toEqual([{ status: '🌊', count: 1 }])
    expect(await db.selectFrom('record').select('uri').execute()).toEqual([{ uri: recordUri(bob!) }])
  })
})

process.env['TEST_POSTGRES_URL'] ??= inject('postgresUrl')
await import('./own-lexicon/statusphere.suite.ts')
