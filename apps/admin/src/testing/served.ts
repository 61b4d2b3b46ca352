import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Health, readConfig } from '@millrace/runtime'
import { openStreams } from '@millrace/stores'
import type { StreamStore } from '@millrace/stream-protocol'
import { createLogSpy, type LogSpy } from '@millrace/testing'
import { createAdminServer, type AdminServerOptions } from '../admin-server.ts'
import { adminConfig } from '../config.ts'
import { describePipeline } from '../describe-pipeline.ts'

/** What a request was answered. */
interface Answer {
  status: number
  headers: Response['headers']
  text: string
  json: () => unknown
}

interface Served extends AsyncDisposable {
  port: number
  store: StreamStore
  get: (url: string, init?: RequestInit) => Promise<Answer>
  health: Health
  logger: LogSpy
}

/** A server over an empty SQLite store. */
export async function served(options: Partial<AdminServerOptions> = {}): Promise<Served> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-admin-'))
  const file = path.join(folder, 'streams.sqlite')
  const store = await openStreams({ kind: 'sqlite', file, location: file, why: 'it is a test' })
  const health = new Health()
  health.add('store', () => store.ping())
  const logger = createLogSpy()
  const server = await createAdminServer({
    port: 0,
    bind: '127.0.0.1',
    passwords: [],
    sources: { ...describePipeline(readConfig(adminConfig, {}), { bind: '127.0.0.1', hasPassword: false }), store },
    health,
    version: '1.2.3',
    logger,
    ...options,
  })
  const get = async (url: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${url}`, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: (): unknown => JSON.parse(text) }
  }
  const close = async (): Promise<void> => {
    await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
  return { port: server.port, store, get, health, logger, [Symbol.asyncDispose]: close }
}
