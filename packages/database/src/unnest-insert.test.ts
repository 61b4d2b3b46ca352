import { describe, expect, test } from 'vitest'
import { toColumns, unnestInsert, unnestSource } from './unnest-insert.ts'

describe('unnestInsert', () => {
  test('has one parameter per column, and the same text for any number of rows', () => {
    const insert = unnestInsert({
      table: 'like',
      columns: { uri: 'text', sortAt: 'text', tags: 'jsonb', n: 'bigint' },
      suffix: 'on conflict do nothing',
      name: 'insert_like',
    })
    const one = insert([['at://a', 'now', null, 1]])
    expect(one).toEqual({
      name: 'insert_like',
      text:
        'insert into "like" ("uri", "sortAt", "tags", "n") ' +
        'select "rows"."uri", "rows"."sortAt", "rows"."tags"::jsonb, "rows"."n" ' +
        'from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as "rows" ("uri", "sortAt", "tags", "n") ' +
        'on conflict do nothing',
      values: [['at://a'], ['now'], [null], [1]],
    })
    expect(insert([]).text).toBe(one.text)
  })

  test('is not prepared without a name', () => {
    expect(unnestInsert({ table: 't', columns: { a: 'text' } })([])).not.toHaveProperty('name')
  })

  test('takes no name that would have to be escaped', () => {
    expect(() => unnestInsert({ table: 't"; drop', columns: { a: 'text' } })).toThrow(TypeError)
    expect(() => unnestInsert({ table: 't', columns: { 'a b': 'text' } })).toThrow(TypeError)
  })
})

test('a source may begin at a later parameter', () => {
  expect(unnestSource({ uri: 'text', ok: 'boolean' }, 'wanted', 3)).toBe(
    'unnest($3::text[], $4::boolean[]) as "wanted" ("uri", "ok")',
  )
})

describe('toColumns', () => {
  test('turns rows into columns', () => {
    expect(
      toColumns(
        [
          ['a', 1],
          ['b', null],
        ],
        2,
      ),
    ).toEqual([
      ['a', 'b'],
      [1, null],
    ])
  })

  test('makes one empty array per column out of no rows', () => {
    expect(toColumns([], 2)).toEqual([[], []])
  })

  test.each([
    { name: 'a row that is too short', row: ['a'] },
    { name: 'a row that is too long', row: ['a', 'b', 'c'] },
    { name: 'a value that was forgotten', row: ['a', undefined as unknown as string] },
  ])('rejects $name, which Postgres would fill with nulls (X6)', ({ row }) => {
    expect(() => toColumns([['x', 'y'], row], 2)).toThrow(RangeError)
  })
})
