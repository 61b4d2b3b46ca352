import { PostgresLedger } from '@millrace/database'
import { recordUri, type CreateEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, follow, openExample, quote, type ExampleIndexing } from './example-plugins.testing.ts'
import { createEvent, deleteEvent, EVENT_TIME, readTables, updateEvent } from './testing/index.ts'

const secret = 'what nobody shall read any more'

/** Tables that hold a text anywhere. */
async function tablesWith({ database, query }: ExampleIndexing, text: string): Promise<string[]> {
  const tables = await query<{ name: string }>(
    `select tablename::text as name from pg_tables where schemaname = $1 and tablename not like 'kysely%'`,
    database.schema,
  )
  const rows = await readTables(
    database,
    tables.map(({ name }) => name),
  )
  return Object.keys(rows).filter((table) => JSON.stringify(rows[table]).includes(text))
}

const deadLetters = ({ query }: ExampleIndexing) =>
  query('select uri, state, payload from millrace_dead_letter order by id')

describe('a record that is deleted leaves nothing of its content in any table (X25)', () => {
  for (const { name, record } of [
    { name: 'with a row of its own', record: follow(bob, { secret }) },
    { name: 'with parts', record: quote(`at://${bob}/test.c/1`, { secret }) },
    { name: 'of a collection without a plugin', record: { $type: 'test.millrace.other', secret } },
  ]) {
    pgTest(name, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      const made = createEvent({ did: alice, record })
      const second = createEvent({ did: alice, record: { ...record, again: true } })
      await indexing.service.index([made])
      await indexing.service.index([updateEvent(made, { ...record, changed: true }), second])
      expect(await tablesWith(indexing, secret)).toContain('record')
      await indexing.service.index([deleteEvent(made), deleteEvent(second)])
      expect(await tablesWith(indexing, secret)).toEqual([])
    })
  }

  pgTest('nor in the dead letters, before and after it is heard again', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const ledger = new PostgresLedger({ database: indexing.database })
    const bad = createEvent({ did: alice, record: { $type: 'test.millrace.follow', subject: 5, secret } })
    const other = createEvent({ did: alice, record: { $type: 'test.millrace.follow', subject: 5 } })
    const gone = deleteEvent(bad)
    const give = (event: CreateEvent, entryId: string) =>
      ledger.deadLetter([
        {
          stream: 'firehose_live',
          entryId,
          reason: 'invalid-record',
          error: `not a record: ${JSON.stringify(event.record)}`,
          did: event.did,
          uri: recordUri(event),
          payload: JSON.stringify(event),
        },
      ])
    // A label about it is somebody else's content.
    await ledger.deadLetter([
      {
        stream: 'label_live',
        entryId: '1-0',
        reason: 'bad-signature',
        error: '',
        uri: recordUri(bad),
        payload: 'a label',
      },
    ])
    await indexing.service.index([bad, other])
    await give(bad, '2-0')
    await give(other, '3-0')
    expect(await tablesWith(indexing, secret)).toEqual(['millrace_dead_letter'])

    for (const repetition of [1, 2]) {
      await indexing.service.index([gone])
      expect({ repetition, tables: await tablesWith(indexing, secret) }).toEqual({ repetition, tables: [] })
      expect(await deadLetters(indexing)).toEqual([
        { uri: recordUri(bad), state: 'kept', payload: 'a label' },
        { uri: recordUri(bad), state: 'purged', payload: '' },
        { uri: recordUri(other), state: 'kept', payload: JSON.stringify(other) },
      ])
      // As when a host sends all of it once more after our cursor was lost.
      await indexing.service.index([bad])
      await give(bad, '2-0')
    }
  })

  pgTest('unless a newer version is there', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const ledger = new PostgresLedger({ database: indexing.database })
    const made = createEvent({ did: alice, record: follow(bob) })
    const gone = deleteEvent(made)
    const bad = updateEvent(made, { $type: 'test.millrace.follow', subject: 5 })
    await indexing.service.index([bad])
    const letter = { stream: 's', entryId: '1', reason: 'invalid-record', error: '', did: alice, uri: recordUri(made) }
    await ledger.deadLetter([{ ...letter, payload: 'of the newer version' }])
    await indexing.service.index([gone])
    expect(await deadLetters(indexing)).toMatchObject([{ state: 'kept', payload: 'of the newer version' }])
  })

  pgTest('nor does an account', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const ledger = new PostgresLedger({ database: indexing.database })
    const record = { $type: 'test.millrace.other', secret }
    await indexing.service.index([
      createEvent({ did: alice, record }),
      createEvent({ did: alice, record: follow(bob, { secret }) }),
    ])
    await ledger.deadLetter([
      { stream: 's', entryId: '1', reason: 'bad-cid', error: secret, did: alice, payload: secret },
    ])
    await indexing.service.index([
      { type: 'account', seq: 9, time: EVENT_TIME, did: alice, active: false, status: 'deleted' },
    ])
    expect(await tablesWith(indexing, secret)).toEqual([])
  })
})
