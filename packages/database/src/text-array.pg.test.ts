import { pgTest } from '@millrace/testing'
import { Pool } from 'pg'
import { expect } from 'vitest'
import { TextArray } from './text-array.ts'

pgTest('Postgres reads an array of texts as it was given, whatever is in it', async ({ databaseUrl }) => {
  const pool = new Pool({ connectionString: databaseUrl })
  try {
    const read = async (values: (string | null | undefined)[]): Promise<unknown> => {
      const { rows } = await pool.query('select $1::text[] as back, coalesce(array_length($1, 1), 0) as length', [
        new TextArray(values),
      ])
      return rows[0]
    }
    const texts = [
      '',
      'plain',
      null,
      'NULL',
      '"quoted", {in braces}',
      'a\\b',
      'tab\tand\nline',
      'größer 🦋',
      'ᚠ'.repeat(999),
    ]
    expect(await read(texts)).toEqual({ back: texts, length: texts.length })
    expect(await read([])).toEqual({ back: [], length: 0 })
    expect(await read([undefined])).toEqual({ back: [null], length: 1 })
    // More than is kept from one message to the next, and less again.
    const large = 'x'.repeat(3_000_000)
    expect(await read([large, 'small'])).toEqual({ back: [large, 'small'], length: 2 })
    expect(await read(['after'])).toEqual({ back: ['after'], length: 1 })
  } finally {
    await pool.end()
  }
})

pgTest(
  'several arrays of one statement do not meet, also when statements are sent together',
  async ({ databaseUrl }) => {
    const pool = new Pool({ connectionString: databaseUrl, pipeline: true, max: 1 })
    const client = await pool.connect()
    try {
      const results = await Promise.all(
        ['a', 'b', 'c'].map((letter) =>
          client.query<{ one: string[]; two: string[] }>('select $1::text[] as one, $2::text[] as two', [
            new TextArray([letter, `${letter}1`]),
            new TextArray([`${letter}2`]),
          ]),
        ),
      )
      expect(results.map(({ rows }) => rows[0])).toEqual(
        ['a', 'b', 'c'].map((letter) => ({ one: [letter, `${letter}1`], two: [`${letter}2`] })),
      )
    } finally {
      client.release()
      await pool.end()
    }
  },
)

pgTest('what Postgres cannot hold is refused as a fault of the content', async ({ databaseUrl }) => {
  const pool = new Pool({ connectionString: databaseUrl })
  try {
    await expect(pool.query('select $1::text[]', [new TextArray(['a\0b'])])).rejects.toMatchObject({ code: '22021' })
  } finally {
    await pool.end()
  }
})
