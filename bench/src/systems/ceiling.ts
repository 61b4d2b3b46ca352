import { migrate, openDatabase } from '@millrace/database'
import { Pool, type QueryConfig } from 'pg'
import { BareRows } from './bare-rows.ts'
import { measureRun, type Measurement, type SystemOptions } from './measurement.ts'
import { countRecords, parseEvent, readEventLines } from './read-events.ts'

const BATCH = 1000

/**
 * The same rows into the same tables by bare statements, a thousand events a transaction, one transaction at a time:
 * nothing is read, nothing is checked, no order is kept. An indexer of these tables with one connection cannot be much
 * faster.
 */
export async function writeBareRows({ eventsFile, postgresUrl }: SystemOptions): Promise<Measurement> {
  await createTables(postgresUrl)
  const lines = await readEventLines(eventsFile)
  const pool = new Pool({ connectionString: postgresUrl, max: 1, options: '-c search_path=bsky' })
  const cost = await measureRun(pool, async () => {
    for (let start = 0; start < lines.length; start += BATCH) {
      const rows = new BareRows()
      for (const line of lines.slice(start, start + BATCH)) {
        const event = parseEvent(line)
        if (event.type !== 'repo') rows.add(event)
      }
      await inTransaction(pool, rows.statements())
    }
  })
  await pool.end()
  const records = countRecords(lines)
  return { system: 'bare', records, failed: 0, roundTrips: null, perSecond: records / cost.seconds, ...cost }
}

async function createTables(url: string): Promise<void> {
  await using database = await openDatabase({ url })
  await migrate(database)
}

async function inTransaction(pool: Pool, statements: QueryConfig[]): Promise<void> {
  const client = await pool.connect()
  await client.query('begin')
  for (const statement of statements) await client.query(statement)
  await client.query('commit')
  client.release()
}
