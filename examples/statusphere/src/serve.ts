import path from 'node:path'
import { createServer } from '@atproto/xrpc-server'
import { changesOf, type AppView } from '@millrace/appview'
import express, { type Express } from 'express'
import { getStatuses, getStatusesLexicon } from './get-statuses.ts'

/** Scripts, styles and answers of our own origin alone, and no way for a text of a stranger to become markup. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

/** The query over XRPC, the same live, and a page that shows it. */
export function serve({ database }: Pick<AppView, 'database'>): Express {
  const xrpc = createServer([getStatusesLexicon])
  xrpc.addMethod(getStatusesLexicon.id, async ({ params }) => {
    return { encoding: 'application/json', body: await getStatuses(database, Number(params['limit'])) }
  })
  const app = express()
  app.use((_request, response, next) => {
    response.set({ 'content-security-policy': policy, 'x-content-type-options': 'nosniff' })
    next()
  })
  app.use(express.static(path.join(import.meta.dirname, '../page')))
  app.get('/live', async (_request, response) => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    response.set('content-type', 'text/event-stream')
    for await (const statuses of changesOf(() => getStatuses(database, 50), gone.signal))
      response.write(`data: ${JSON.stringify(statuses)}\n\n`)
  })
  app.use(xrpc.router)
  return app
}
