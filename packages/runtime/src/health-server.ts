import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Health } from './health.ts'
import type { Registry } from './meter.ts'

export interface HealthServerOptions {
  /** 0 takes a free one. */
  port: number
  /** @default '0.0.0.0' */
  host?: string
  registry: Registry
  health: Health
  /** What `/` calls the process, e.g. `Millrace ingester 1.0.0`. @default 'Millrace' */
  title?: string
}

/** A server of `/metrics`, `/livez` and `/readyz`, until it is disposed of. */
export interface HealthServer extends AsyncDisposable {
  /** The port it listens on. */
  readonly port: number
}

/** A port is in use, or not ours to open. */
export class PortError extends Error {
  override readonly name = 'PortError'
  readonly port: number

  constructor(host: string, port: number, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const reasons: Record<string, string> = {
      EADDRINUSE: 'another process listens there',
      EACCES: 'this user may not open it',
      EADDRNOTAVAIL: 'this machine has no such address',
    }
    super(`cannot listen on ${host}:${port}: ${reasons[code] ?? (code || String(cause))}`, { cause })
    this.port = port
  }
}

/**
 * Serves `/metrics` (Prometheus text), `/livez` (200 while the process answers at all, whatever it depends on),
 * `/readyz` (200 or 503, with each check as JSON) and a line of text at `/`.
 * @throws {PortError} when it cannot listen.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { port, host = '0.0.0.0' } = options
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new PortError(host, port, error)))
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      // Scrapers keep their connections open between two scrapes.
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HealthServerOptions): Promise<void> {
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'only GET\n')
  const path = (request.url ?? '/').replace(/\?.*/s, '')
  switch (path) {
    case '/metrics':
      return send(200, options.registry.contentType, await options.registry.metrics())
    case '/livez':
      return send(200, 'text/plain', 'ok\n')
    case '/readyz': {
      const report = await options.health.report()
      const isReady = report.status === 'ready' || report.status === 'degraded'
      return send(isReady ? 200 : 503, 'application/json', `${JSON.stringify(report)}\n`)
    }
    case '/':
      return send(200, 'text/plain', `${options.title ?? 'Millrace'}\n\n/metrics  /livez  /readyz\n`)
    default:
      return send(404, 'text/plain', 'not found\n')
  }
}
