import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { createLogSpy, eventually, pgTest } from '@millrace/testing'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { classifyError } from './classify-error.ts'
import { lockKey } from './locks.ts'
import { openDatabase, type Database } from './open-database.ts'

describe('every connection', () => {
  pgTest('looks into the schema first, and waits for nothing without end (X19)', async ({ databaseUrl }) => {
    await using database = await openDatabase({
      url: databaseUrl,
      schema: 'mill',
      applicationName: 'a test',
      statementTimeoutMs: 1_001,
      lockTimeoutMs: 1_002,
      idleInTransactionTimeoutMs: 1_003,
    })
    const names = [
      'search_path',
      'application_name',
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
    ]
    // Several at a time, so that they are not all the one that was made first.
    const all = await Promise.all(['a', 'b', 'c'].map(() => settingsOf(database, names)))
    for (const settings of all) expect(settings).toEqual(['"mill", public', 'a test', '1001ms', '1002ms', '1003ms'])
  })

  describe.each([
    { server: 'off', connection: 'on' },
    { server: 'local', connection: 'on' },
    { server: 'on', connection: 'on' },
    { server: 'remote_apply', connection: 'remote_apply' },
  ])('where the server has synchronous_commit = $server', ({ server, connection }) => {
    pgTest(`commits to disk with ${connection} (X18)`, async ({ databaseUrl }) => {
      await onServer(databaseUrl, `alter database "${nameOf(databaseUrl)}" set synchronous_commit = ${server}`)
      await using database = await openDatabase({ url: databaseUrl })
      expect(await settingsOf(database, ['synchronous_commit'])).toEqual([connection])
    })
  })

  pgTest(
    'sees in each statement what was committed before it, whatever the server prefers',
    async ({ databaseUrl }) => {
      await onServer(
        databaseUrl,
        `alter database "${nameOf(databaseUrl)}" set default_transaction_isolation = 'repeatable read'`,
      )
      await using database = await openDatabase({ url: databaseUrl })
      expect(await settingsOf(database, ['default_transaction_isolation'])).toEqual(['read committed'])
    },
  )

  pgTest('keeps what the URL asks for', async ({ databaseUrl }) => {
    const url = new URL(databaseUrl)
    url.searchParams.set('options', '-c work_mem=7MB')
    await using database = await openDatabase({ url: url.href })
    expect(await settingsOf(database, ['work_mem', 'search_path'])).toEqual(['7MB', '"bsky", public'])
  })

  pgTest('reads a bigint as a number, and rejects one that a number cannot hold', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    const { rows } = await database.pool.query('select 9007199254740991::bigint as n, null::bigint as none')
    expect(rows).toEqual([{ n: Number.MAX_SAFE_INTEGER, none: null }])
    await expect(database.pool.query('select 9007199254740992::bigint')).rejects.toThrow(RangeError)
  })
})

describe('a wait that ends by its timeout is transient', () => {
  pgTest('for a statement (X19)', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl, statementTimeoutMs: 500 })
    expect(await classOf(database.pool.query('select pg_sleep(60)'))).toBe('transient')
  })

  pgTest('for a lock (X19)', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl, lockTimeoutMs: 20 })
    const lock = 'select pg_advisory_xact_lock($1)'
    await database.transaction(async (client) => {
      await client.query(lock, [lockKey('job', 'test')])
      expect(await classOf(database.pool.query(lock, [lockKey('job', 'test')]))).toBe('transient')
    })
  })

  pgTest('for a connection of the pool (X19)', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl, poolSize: 1, connectTimeoutMs: 1_000 })
    await database.transaction(async () => {
      const waiting = [database.pool.query('select 1'), database.pool.connect()]
      expect(await Promise.all(waiting.map(classOf))).toEqual(['transient', 'transient'])
    })
    await database.ping()
  })

  test('for a server that accepts and says nothing', async () => {
    await using silent = await listen(() => undefined)
    const opening = openDatabase({ url: `postgres://postgres@127.0.0.1:${silent.port}/x`, connectTimeoutMs: 100 })
    expect(await classOf(opening)).toBe('transient')
  })
})

describe('a connection that is lost', () => {
  pgTest('fails its query as transient, also when the server says nothing (G9)', async ({ databaseUrl }) => {
    await using proxy = await proxyTo(databaseUrl)
    await using database = await openDatabase({ url: proxy.url, poolSize: 1 })
    const query = classOf(database.pool.query('select pg_sleep(60)'))
    await eventually(async () => expect(await sleepers(databaseUrl)).toBe(1))
    proxy.cut()
    expect(await query).toBe('transient')
    await database.ping()
  })

  pgTest('fails its transaction with what was lost, not with the rollback', async ({ databaseUrl }) => {
    await using proxy = await proxyTo(databaseUrl)
    await using database = await openDatabase({ url: proxy.url, poolSize: 2 })
    const raw = classOf(database.transaction((client) => client.query('select pg_sleep(60)')))
    const kysely = classOf(
      database.db.transaction().execute(async (transaction) => {
        await transaction.selectNoFrom(({ fn, val }) => fn('pg_sleep', [val(60)]).as('slept')).execute()
      }),
    )
    await eventually(async () => expect(await sleepers(databaseUrl)).toBe(2))
    proxy.cut()
    expect(await Promise.all([raw, kysely])).toEqual(['transient', 'transient'])
    await database.ping()
  })

  for (const pipeline of [false, true]) {
    pgTest(
      `between two statements of a transaction fails the next one as transient (G9), pipelined: ${pipeline}`,
      async ({ databaseUrl }) => {
        await using database = await openDatabase({ url: databaseUrl, pipeline })
        const classes: string[] = []
        const transaction = database.transaction(async (client) => {
          const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
          const lost = once(client, 'error')
          await onServer(databaseUrl, `select pg_terminate_backend(${rows[0]!.pid})`)
          await lost
          classes.push(await classOf(client.query('select 1')))
          await client.query('select 2')
        })
        classes.push(await classOf(transaction))
        expect(classes).toEqual(['transient', 'transient'])
        await database.ping()
      },
    )
  }

  pgTest('while idle is replaced, and the process lives on', async ({ databaseUrl }) => {
    const logger = createLogSpy()
    await using database = await openDatabase({ url: databaseUrl, logger })
    await onServer(
      databaseUrl,
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await eventually(() => expect(logger.messages('warn')).toContain('lost an idle connection'))
    await database.ping()
  })
})

describe('a transaction', () => {
  pgTest('keeps all or nothing', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl, schema: 'public' })
    await database.pool.query('create table kept (n integer)')
    const failure = new Error('no more')

    const result = await database.transaction(async (client) => {
      await client.query('insert into kept values (1)')
      return 'done'
    })
    const failing = database.transaction(async (client) => {
      await client.query('insert into kept values (2)')
      throw failure
    })
    expect(result).toBe('done')
    await expect(failing).rejects.toBe(failure)
    const { rows } = await database.pool.query('select n from kept')
    expect(rows).toEqual([{ n: 1 }])
  })

  pgTest('that hides a failed statement does not pass for committed (G3)', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    const hiding = database.transaction(async (client) => {
      await client.query('select 1 / 0').catch(() => undefined)
    })
    await expect(hiding).rejects.toThrow('rolled back')
  })
})

describe('where it is', () => {
  pgTest('is told without the password', async ({ databaseUrl }) => {
    const url = new URL(databaseUrl)
    url.password = 'swordfish'
    await using database = await openDatabase({ url: url.href })
    expect(database.location).toBe(`postgres://${url.host}${url.pathname}?schema=bsky`)
  })

  test.each(['swordfish', 'mysql://me:swordfish@127.0.0.1/x', 'postgres://me:swordfish@:::/x'])(
    'is no address: %s, which the error does not repeat',
    async (url) => {
      const error = await openDatabase({ url }).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(TypeError)
      expect(String(error)).not.toContain('swordfish')
    },
  )

  test.each(['', 'my schema', 'a"b', '1st'])('is no schema: "%s"', async (schema) => {
    await expect(openDatabase({ url: 'postgres://127.0.0.1/x', schema })).rejects.toThrow(TypeError)
  })

  test('is out of reach: the error is transient, and says so at once', async () => {
    const closed = await listen(() => undefined)
    await closed[Symbol.asyncDispose]()
    expect(await classOf(openDatabase({ url: `postgres://127.0.0.1:${closed.port}/x` }))).toBe('transient')
  })
})

async function settingsOf(database: Database, names: readonly string[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ value: string }>(
    'select current_setting(name) as value from unnest($1::text[]) as name',
    [names],
  )
  return rows.map(({ value }) => value)
}

async function classOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'no error'
  } catch (error) {
    return classifyError(error)
  }
}

/** Runs a statement past the database under test. */
async function onServer<T extends object>(url: string, statement: string): Promise<T[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<T>(statement)).rows
  } finally {
    await client.end()
  }
}

async function sleepers(url: string): Promise<number> {
  const rows = await onServer<{ count: string }>(
    url,
    `select count(*) from pg_stat_activity
     where datname = current_database() and state = 'active' and wait_event = 'PgSleep'`,
  )
  return Number(rows[0]?.count)
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1)
}

interface Listener extends AsyncDisposable {
  port: number
  sockets: Set<Socket>
}

async function listen(onConnection: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    // Cutting is what these tests do.
    socket.on('error', () => socket.destroy())
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** The same database by another port, whose connections can be cut without a word from the server. */
async function proxyTo(databaseUrl: string): Promise<Listener & { url: string; cut(): void }> {
  const target = new URL(databaseUrl)
  const listener = await listen((socket) => {
    const upstream = connect(Number(target.port), target.hostname)
    upstream.on('error', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(listener.port)
  return {
    ...listener,
    url: url.href,
    cut() {
      for (const socket of listener.sockets) socket.destroy()
    },
  }
}
