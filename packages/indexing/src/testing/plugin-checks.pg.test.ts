import { pgTest } from '@millrace/testing'
import { recordUri } from '@millrace/stream-protocol'
import { expect } from 'vitest'
import type { Derivation } from '../derivation.ts'
import { defineRecordPlugin, type RecordPlugin } from '../plugin.ts'
import { recordType } from '../record-type.ts'
import { createEvent } from './events.ts'
import { PluginBench } from './plugin-bench.ts'
import { pluginChecks, type PluginCase } from './plugin-checks.ts'

const alice = 'did:plc:alicealicealicealicealic'
const bob = 'did:plc:bobbobbobbobbobbobbobbob'
const $type = 'test.millrace.note'

const tables = {
  name: 'test.millrace',
  migrations: [
    {
      name: '0001-note',
      sql: `
        create table note (uri text primary key, cid text not null, text text not null, number integer);
        create table note_log (note text, text text)`,
    },
  ],
}

/** A plugin without a fault, but for what it does beside its rows. */
function notes(run: Derivation['run'] = async () => undefined): RecordPlugin {
  return defineRecordPlugin({
    collection: recordType({
      lexicon: 1,
      id: $type,
      defs: {
        main: {
          type: 'record',
          record: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
        },
      },
    }),
    table: 'note',
    toRow: ({ uri, cid, record }) => ({ uri, cid, text: record.text }),
    parts: [{ table: 'note_log', owner: 'note', toRows: () => [] }],
    notify: (row, { indexedAt }) => [{ did: bob, reason: row.text, reasonSubject: null, sortAt: indexedAt }],
    derivation: { name: 'faults', run },
  })
}

const one = createEvent({ did: alice, record: { $type, text: 'one' } })
const two = createEvent({ did: alice, record: { $type, text: 'two' } })
const twoNotes: PluginCase = {
  events: [one, two],
  rows: { note: [{ text: 'one' }, { text: 'two' }], notification: [{ reason: 'one' }, { reason: 'two' }] },
  update: { record: { $type, text: 'three' }, rows: { note: [{ text: 'one' }, { text: 'three' }] } },
}

/** What fails, with what it says. */
async function failures(url: string, plugin: RecordPlugin, each: PluginCase): Promise<{ [check: string]: string }> {
  await using bench = await PluginBench.open({ plugins: [plugin], sets: [tables], url })
  const failed: { [check: string]: string } = {}
  for (const [name, check] of Object.entries(pluginChecks(plugin, each, 24))) {
    await bench.clear()
    await check(bench).catch((error: Error) => (failed[name] = error.message))
  }
  return failed
}

pgTest('a plugin with tables of its own and without a fault passes', async ({ databaseUrl }) => {
  expect(await failures(databaseUrl, notes(), twoNotes)).toEqual({})
})

pgTest('rows that are not those of the case are told, with what was refused', async ({ databaseUrl }) => {
  const { ['gives its rows']: message } = await failures(databaseUrl, notes(), {
    events: [one, createEvent({ did: bob, rkey: 'none', record: { $type, txt: 'typo' } })],
    rows: { note: [{ text: 'one', number: 1 }] },
  })
  expect(message).toBe(
    [
      'not the rows that there should be:',
      '  note lacks { text: "one", number: 1 }',
      `  note has besides { cid: "${one.cid}", uri: "${recordUri(one)}", text: "one", number: null }`,
      'what was refused:',
      `  create of at://${bob}/${$type}/none: Record must have the property "text"`,
    ].join('\n'),
  )
})

pgTest('a case that asks for what cannot be is told so', async ({ databaseUrl }) => {
  const failed = await failures(databaseUrl, notes(), { events: [one], rows: { notes: [], record: [{}] } })
  expect(failed).toEqual({ 'gives its rows': 'there is no table notes' })
  const strange = { events: [createEvent({ did: alice, record: { $type: 'test.other' } })], update: twoNotes.update! }
  expect(() => pluginChecks(notes(), { ...strange, rows: {} }, 24)).toThrow(
    'no event of the case is a record of test.millrace.note, yet it has an update',
  )
})

pgTest('what stays behind when its record goes is found', async ({ databaseUrl }) => {
  const plugin = notes(async (session, applied) => {
    const texts = applied.added('note').map(({ row }) => row['text'])
    await session.one({ text: 'insert into note_log (text) select * from unnest($1::text[])', values: [texts] })
  })
  const failed = await failures(databaseUrl, plugin, twoNotes)
  expect(Object.keys(failed)).toEqual([
    'a deletion leaves nothing, whether it comes last or first',
    'an update leaves nothing of what was before',
    'a newer version that is no record takes the one before with it (X9)',
  ])
  expect(failed['an update leaves nothing of what was before']).toContain(
    'note_log has besides { note: null, text: "two" }',
  )
})

pgTest('what hangs on the order of arrival, or on how it was cut, is found (G5)', async ({ databaseUrl }) => {
  const plugin = notes(async (session, applied) => {
    const uris = applied.added('note').map(({ row }) => row['uri'])
    await session.one({
      text: 'update note set number = (select count(*) from note) where uri = any ($1::text[])',
      values: [uris],
    })
  })
  const failed = await failures(databaseUrl, plugin, twoNotes)
  expect(Object.keys(failed)).toEqual([
    'a batch gives the rows that its events give one by one',
    'every order of arrival ends in the same rows',
    'a newer version that is no record takes the one before with it (X9)',
  ])
  expect(failed['every order of arrival ends in the same rows']).toContain(
    `when they arrive as create ${recordUri(two)}, create ${recordUri(one)}`,
  )
})

pgTest('who tells old news is found (X14)', async ({ databaseUrl }) => {
  const plugin = notes(async (_session, applied, effects) => {
    for (const { context } of applied.added('note')) {
      const { uri: recordUri, cid: recordCid, did: author, indexedAt: sortAt } = context
      effects.notify([{ did: bob, author, recordUri, recordCid, reason: 'again', reasonSubject: null, sortAt }])
    }
  })
  const rows = { notification: ['one', 'two', 'again', 'again'].map((reason) => ({ reason })) }
  expect(Object.keys(await failures(databaseUrl, plugin, { ...twoNotes, rows }))).toEqual([
    'what is no longer news tells nobody, and changes nothing else (X14)',
  ])
})
