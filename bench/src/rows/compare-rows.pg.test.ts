import { pgTest } from '@millrace/testing'
import { Client } from 'pg'
import { expect } from 'vitest'
import { compareTable } from './compare-rows.ts'

const columns = 'uri text, cid text, json text, "indexedAt" text'
const same = `('same', 'a', '{"x": 1, "y": 2}', 'now')`

pgTest(
  'rows that are other, missing or too many are found; order and our own columns do not count',
  async ({ databaseUrl }) => {
    const otherName = `${new URL(databaseUrl).pathname.slice(1)}_other`
    const otherUrl = databaseUrl.replace(/[^/]+$/, otherName)
    await run(databaseUrl, `create database ${otherName}`)
    try {
      await run(
        databaseUrl,
        `create schema bsky; create table bsky.record (rev text, ${columns});
       insert into bsky.record (uri, cid, json, "indexedAt")
       values ('changed', 'b', '{}', 'now'), ('ours', 'c', '{}', 'now'), ${same.replace('"x": 1, "y": 2', '"y":2,"x":1')}`,
      )
      await run(
        otherUrl,
        `create schema bsky; create table bsky.record (${columns});
       insert into bsky.record values ${same}, ('changed', 'a', '{}', 'now'), ('theirs', 'd', '{}', 'now')`,
      )
      const { rows, differences } = await compareTable(
        { ours: databaseUrl, reference: otherUrl },
        { table: 'record', key: ['uri'], json: ['json'] },
      )
      expect(rows).toBe(3)
      expect(new Map(differences.map((each) => [each.key, each]))).toEqual(
        new Map([
          ['changed', expect.objectContaining({ columns: ['cid'] })],
          ['ours', expect.objectContaining({ reference: null })],
          ['theirs', expect.objectContaining({ ours: null })],
        ]),
      )
    } finally {
      await run(databaseUrl, `drop database ${otherName} with (force)`)
    }
  },
)

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
