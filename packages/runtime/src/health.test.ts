import { describe, expect, test } from 'vitest'
import { Health } from './health.ts'
import { PortError, startHealthServer } from './health-server.ts'
import { createMeter, createRegistry } from './meter.ts'

describe('Health', () => {
  test('is starting until it has a check, and stopping when told', async () => {
    const health = new Health()
    expect((await health.report()).status).toBe('starting')
    health.add('store', () => undefined)
    expect(await health.report()).toEqual({ status: 'ready', checks: { store: { status: 'ok' } } })
    health.stopping()
    expect((await health.report()).status).toBe('stopping')
  })

  test('names what fails and what is degraded, with reasons free of secrets (O5, M9)', async () => {
    const health = new Health()
    health.add('lag', () => 'ten minutes behind')
    expect((await health.report()).status).toBe('degraded')
    health.add('database', () => Promise.reject(new Error('no postgres://u:hunter2@db')))
    expect(await health.report()).toEqual({
      status: 'failing',
      checks: {
        lag: { status: 'degraded', reason: 'ten minutes behind' },
        database: { status: 'failing', reason: 'no postgres://***@db' },
      },
    })
  })

  test('a check that hangs fails after its time, and is not started again while it runs', async () => {
    const health = new Health({ timeoutMs: 20 })
    let started = 0
    health.add('store', () => {
      started += 1
      return new Promise<void>(() => undefined)
    })
    const reports = await Promise.all([health.report(), health.report()])
    expect(reports.map(({ checks }) => checks['store'])).toEqual([
      { status: 'failing', reason: 'no answer within 20 ms' },
      { status: 'failing', reason: 'no answer within 20 ms' },
    ])
    expect(started).toBe(1)
  })
})

describe('startHealthServer', () => {
  async function started() {
    const registry = createRegistry({ processMetrics: false })
    createMeter(registry).counter('millrace_things_total', 'Things')
    const health = new Health()
    const server = await startHealthServer({ port: 0, host: '127.0.0.1', registry, health, title: 'Millrace test' })
    const get = async (path: string, init?: RequestInit) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init)
      return { status: response.status, body: await response.text() }
    }
    return { server, health, get }
  }

  test('serves metrics, also with a query string', async () => {
    const { server, get } = await started()
    await using _ = server
    expect(await get('/metrics')).toMatchObject({ status: 200, body: expect.stringContaining('things_total 0') })
    expect(await get('/metrics?name[]=x')).toMatchObject({ status: 200 })
    expect(await get('/')).toMatchObject({ status: 200, body: expect.stringContaining('Millrace test') })
    expect((await get('/else')).status).toBe(404)
    expect((await get('/metrics', { method: 'POST' })).status).toBe(405)
  })

  test('is alive whatever fails, and ready only when every check holds (O5)', async () => {
    const { server, health, get } = await started()
    await using _ = server
    expect((await get('/readyz')).status).toBe(503)
    health.add('store', () => 'slow')
    expect((await get('/readyz')).status).toBe(200)
    health.add('database', () => Promise.reject(new Error('away')))
    const ready = await get('/readyz')
    expect(ready.status).toBe(503)
    expect(JSON.parse(ready.body)).toMatchObject({ status: 'failing', checks: { database: { reason: 'away' } } })
    expect(await get('/livez')).toEqual({ status: 200, body: 'ok\n' })
  })

  test('a port in use is one clear error', async () => {
    const { server, health } = await started()
    await using _ = server
    const second = startHealthServer({
      port: server.port,
      host: '127.0.0.1',
      registry: createRegistry({ processMetrics: false }),
      health,
    })
    await expect(second).rejects.toThrow(
      new PortError('127.0.0.1', server.port, Object.assign(new Error(), { code: 'EADDRINUSE' })).message,
    )
    await expect(second).rejects.toThrow('another process listens there')
  })

  test('closes although a scraper keeps its connection', async () => {
    const { server, get } = await started()
    await get('/livez')
    await server[Symbol.asyncDispose]()
    await expect(get('/livez')).rejects.toThrow('fetch failed')
  })
})
