// The reference AppView, its dataplane and its API server, on a database that is filled already. Says `ready {…}`.
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { BskyAppView, Database, DataPlaneServer, ServerConfig, type ServerConfigValues } from '@atproto/bsky'
import { Secp256k1Keypair } from '@atproto/crypto'
import { isObject } from '@millrace/stream-protocol'
import { recordingFolder } from '../pipeline/recording.ts'

const { APPVIEW_DATABASE_URL, APPVIEW_SCHEMA, APPVIEW_PLC_URL, APPVIEW_HANDLE_RESOLVER_URL } = process.env
if (!APPVIEW_DATABASE_URL || !APPVIEW_SCHEMA || !APPVIEW_PLC_URL || !APPVIEW_HANDLE_RESOLVER_URL)
  throw new Error('the AppView has to be told its database, schema, PLC directory and handle resolver')

// It leaves parts of an answer out that take longer than 100 ms. How busy a machine is should not show in answers.
const timeout = AbortSignal.timeout.bind(AbortSignal)
AbortSignal.timeout = (ms) => timeout(Math.max(ms, 60_000))

const database = new Database({ url: APPVIEW_DATABASE_URL, schema: APPVIEW_SCHEMA, poolSize: 10 })
const migrations = await database.migrateToLatestOrThrow()
const dataplane = await DataPlaneServer.create(database, 0, APPVIEW_PLC_URL, fetch)
const appView = BskyAppView.create({
  config: new ServerConfig({
    ...(await recordedSettings()),
    port: 0,
    didPlcUrl: APPVIEW_PLC_URL,
    dataplaneUrls: [`http://127.0.0.1:${portOf(dataplane.server)}`],
    bsyncUrl: 'http://127.0.0.1:1',
    disableSsrfProtection: true,
  }),
  signingKey: await Secp256k1Keypair.create(),
})
for (const resolver of [dataplane.idResolver, appView.ctx.idResolver]) resolver.handle.resolve = resolveHandle
const url = `http://127.0.0.1:${portOf(await appView.start())}`
process.stdout.write(`ready ${JSON.stringify({ url, migrations: migrations.length })}\n`)

/** As the AppView was configured when its answers were recorded. Sets are written as `{"__set__": […]}`. */
async function recordedSettings(): Promise<ServerConfigValues> {
  const text = await readFile(path.join(recordingFolder, 'expected/appview.json'), 'utf8')
  const revive = (_name: string, value: unknown): unknown =>
    isObject(value) && Array.isArray(value['__set__']) ? new Set(value['__set__']) : value
  return (JSON.parse(text, revive) as { config: ServerConfigValues }).config
}

/** Recorded handles end in `.test`, which no DNS and no host answers for. */
async function resolveHandle(handle: string): Promise<string | undefined> {
  const query = new URLSearchParams({ handle })
  const response = await fetch(`${APPVIEW_HANDLE_RESOLVER_URL}/xrpc/com.atproto.identity.resolveHandle?${query}`)
  return response.ok ? ((await response.json()) as { did: string }).did : undefined
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
