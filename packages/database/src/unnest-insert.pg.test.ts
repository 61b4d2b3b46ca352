import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { openDatabase } from './open-database.ts'
import { unnestInsert, type UnnestRow } from './unnest-insert.ts'

const insert = unnestInsert({
  table: 'things',
  columns: { key: 'text', n: 'bigint', small: 'integer', ok: 'boolean', at: 'timestamptz', tags: 'jsonb' },
  name: 'insert_things',
  suffix: 'returning key',
})

pgTest('rows arrive as they were given, whatever is in them', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl, schema: 'public' })
  await database.pool.query(
    'create table things (key varchar, n bigint, small integer, ok boolean, at timestamptz, tags jsonb)',
  )
  const at = new Date('2026-01-02T03:04:05.678Z')
  const rows: UnnestRow[] = [
    ['', 2 ** 53 - 1, -1, true, at, '["en"]'],
    ['NULL', -5n, 0, false, '2026-01-02T03:04:05.678Z', '{"a": "\\"}, {"}'],
    [String.raw`{"x",'y'}\,"; $1 $$`, null, null, null, null, null],
    ['line\nbreak\ttab 🦋', 0, 1, true, at, '[]'],
  ]
  const { rows: returned } = await database.pool.query<{ key: string }>(insert(rows))
  expect(returned.map(({ key }) => key)).toEqual(rows.map(([key]) => key))

  const { rows: stored } = await database.pool.query({ text: 'select * from things', rowMode: 'array' })
  expect(stored).toEqual([
    ['', 2 ** 53 - 1, -1, true, at, ['en']],
    ['NULL', -5, 0, false, at, { a: '"}, {' }],
    [String.raw`{"x",'y'}\,"; $1 $$`, null, null, null, null, null],
    ['line\nbreak\ttab 🦋', 0, 1, true, at, []],
  ])
})

pgTest(
  'more rows than there can be parameters go in at once, and none is a statement too (X6)',
  async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl, schema: 'public' })
    await database.pool.query(
      'create table things (key varchar, n bigint, small integer, ok boolean, at timestamptz, tags jsonb)',
    )
    const rows = Array.from({ length: 70_000 }, (_, n): UnnestRow => [`key ${n}`, n, 1, true, null, null])
    expect((await database.pool.query(insert(rows))).rowCount).toBe(70_000)
    expect((await database.pool.query(insert([]))).rowCount).toBe(0)
  },
)
