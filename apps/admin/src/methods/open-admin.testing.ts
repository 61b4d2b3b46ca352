import { AdminClient } from '@millrace/admin-api'
import { registerUpstreams } from '@millrace/database'
import { startSimulatedNetwork } from '@millrace/dev-network'
import { Health, readConfig } from '@millrace/runtime'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import { hostWithoutScheme, streams } from '@millrace/stream-protocol'
import { createAdminServer } from '../admin-server.ts'
import { adminConfig } from '../config.ts'
import { describePipeline } from '../describe-pipeline.ts'

const stream = streams.firehoseLive

/** A server over real stores, and a network that it knows of. */
export async function openAdmin(redisUrl: string, databaseUrl: string) {
  await using stack = new AsyncDisposableStack()
  const network = stack.use(await startSimulatedNetwork({ accounts: 2, recordsPerAccount: 3, labels: 0, time: 'real' }))
  const store = stack.use(await openStreams({ kind: 'redis', url: redisUrl, location: redisUrl, why: 'a test' }))
  const database = stack.use(await openMigratedDatabase({ url: databaseUrl, pipeline: true }))
  const host = hostWithoutScheme(network.relayUrl)
  await registerUpstreams(database, [{ host, stream, url: network.relayUrl }])
  const config = readConfig(adminConfig, {
    DID_PLC_URL: network.plcUrl,
    HANDLE_RESOLVER_URL: network.handleResolverUrl,
    MILLRACE_ALLOW_PRIVATE_HOSTS: '1',
  })
  const sources = { ...describePipeline(config, { bind: '127.0.0.1', hasPassword: true }), store, database }
  const server = stack.use(
    await createAdminServer({
      port: 0,
      bind: '127.0.0.1',
      passwords: ['one'],
      sources,
      health: new Health(),
      version: '0.0.0',
    }),
  )
  const client = new AdminClient({ url: `http://127.0.0.1:${server.port}`, password: 'one' })
  const owned = stack.move()
  return { network, store, database, host, sources, client, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
