import { createServer, InvalidRequestError } from '@atproto/xrpc-server'
import type { Database } from '@millrace/database'
import express from 'express'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { getStatusesLexicon } from './lexicons.ts'
import { readStatuses } from './read-statuses.ts'

export interface ServerOptions {
  database: Database
  /** 0 for any. */
  port: number
}

export interface Server extends AsyncDisposable {
  readonly url: string
}

/** Scripts, styles and answers of our own origin alone, and no way for a text of a stranger to become markup. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

/** Serves the query over XRPC, and a page that shows its answer, to this machine. */
export async function startServer({ database, port }: ServerOptions): Promise<Server> {
  const xrpc = createServer([getStatusesLexicon])
  xrpc.addMethod(getStatusesLexicon.id, async ({ params }) => {
    const { limit, cursor } = params as { limit: number; cursor?: string }
    const page = await readStatuses(database, { limit, cursor })
    if (!page) throw new InvalidRequestError('the cursor is none of ours')
    return { encoding: 'application/json', body: page }
  })
  const app = express()
  app.disable('x-powered-by')
  app.use((_request, response, next) => {
    response.set({ 'content-security-policy': policy, 'x-content-type-options': 'nosniff' })
    next()
  })
  app.use(express.static(path.join(import.meta.dirname, '../page')))
  app.use(xrpc.router)
  const server = createHttpServer(app)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
