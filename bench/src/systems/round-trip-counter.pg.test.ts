import { pgTest } from '@millrace/testing'
import { Pool } from 'pg'
import { expect } from 'vitest'
import { RoundTripCounter } from './round-trip-counter.ts'

pgTest('what is sent together is one round trip, and what waits for an answer is one more', async ({ databaseUrl }) => {
  const pool = new Pool({ connectionString: databaseUrl, max: 1, pipeline: true })
  try {
    const counter = new RoundTripCounter(pool)
    const client = await pool.connect()
    await Promise.all([client.query('select 1'), client.query('select $1::int', [2]), client.query('select 3')])
    expect(counter.count).toBe(1)
    await client.query('select 4')
    await client.query('select 5')
    expect(counter.count).toBe(3)
    client.release()
    await pool.query('select 6')
    expect(counter.count).toBe(4)
  } finally {
    await pool.end()
  }
})
