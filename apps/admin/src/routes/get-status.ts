import type { Server } from '@atproto/xrpc-server'
import { collectStatus, type StatusSources } from '../collect-status.ts'

/** `dev.millrace.admin.getStatus` */
export function getStatus(server: Server, sources: StatusSources): void {
  server.method('dev.millrace.admin.getStatus', async () => ({
    encoding: 'application/json',
    body: await collectStatus(sources),
  }))
}
