import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'pg'

export interface TestDatabase {
  url: string
  /** Also ends the connections to it that have not ended by themselves. */
  drop(): Promise<void>
}

/** How long connections that were told to end may take for it, in milliseconds. */
const ENDING_MS = 200

/** Creates an empty database on the server of `serverUrl`. */
export async function createDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await withClient(serverUrl, async (client) => {
    // template1 may have been changed; template0 has not, and allows any encoding.
    await client.query(`create database ${name} template template0 encoding 'UTF8' locale 'C.UTF-8'`)
  })
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () =>
      withClient(serverUrl, async (client) => {
        // One that is cut while it ends would say so to nobody, in whatever test runs then.
        const until = performance.now() + ENDING_MS
        while ((await isInUse(client, name)) && performance.now() < until) await wait(10)
        await client.query(`drop database if exists ${name} with (force)`)
      }),
  }
}

async function isInUse(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
    [name],
  )
  return rows.length > 0
}

async function withClient(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
