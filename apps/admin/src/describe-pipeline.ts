import type { DeclaredStream } from '@millrace/diagnosis'
import { createGuardedFetch, DidResolver, HandleResolver } from '@millrace/identity'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import type { ConfigOf } from '@millrace/runtime'
import { Webhook } from './alarms/webhook.ts'
import type { AdminSources } from './admin-sources.ts'
import type { CursorOf } from './collect-status.ts'
import type { adminConfig } from './config.ts'

type AdminConfig = Omit<ConfigOf<typeof adminConfig>, 'ADMIN_PASSWORDS' | 'METRICS_PORT' | 'METRICS_HOST' | 'LOG_LEVEL'>

/** What the variables say of the pipeline: all that admin methods work on, but the stores. */
export function describePipeline(
  config: AdminConfig,
  { bind, hasPassword }: { bind: string; hasPassword: boolean },
): Omit<AdminSources, 'store' | 'database' | 'watch' | 'problems' | 'alarms' | 'logger'> {
  const allowPrivateHosts = config.MILLRACE_ALLOW_PRIVATE_HOSTS
  const fetch = createGuardedFetch({ allowPrivateHosts, userAgent: 'millrace' })
  const resolver = config.HANDLE_RESOLVER_URL
  return {
    declared: declaredStreams(config),
    cursors: configuredCursors(config),
    labelStream: config.INGESTER_LABEL_STREAM,
    repoStream: config.INGESTER_REPO_STREAM,
    eventStreams: [config.INGESTER_FIREHOSE_STREAM, config.BACKFILLER_FIREHOSE_STREAM],
    tables: new Map(
      appBskyPlugins.flatMap(({ collection, table }) => (table === undefined ? [] : [[collection.collection, table]])),
    ),
    resolver: new DidResolver({ fetch, plcUrl: config.DID_PLC_URL, allowPrivateHosts }),
    handles: new HandleResolver({ fetch, ...(resolver !== undefined && { resolverUrl: resolver }) }),
    fetch,
    webhooks: (config.ADMIN_ALERT_WEBHOOKS ?? []).map((webhook) => new Webhook(webhook)),
    exposure: {
      bind,
      hasPassword,
      allowsPrivateHosts: allowPrivateHosts,
      ...(config.REDIS_URL !== undefined && storeExposure(config.REDIS_URL)),
    },
  }
}

function storeExposure(redisUrl: string): { storeUrl: string; storeHasPassword: boolean } {
  const { protocol, host, password } = new URL(redisUrl)
  return { storeUrl: `${protocol}//${host}`, storeHasPassword: password !== '' }
}

function declaredStreams(config: AdminConfig): DeclaredStream[] {
  return [
    {
      stream: config.INGESTER_FIREHOSE_STREAM,
      group: config.INDEXER_GROUP,
      role: 'indexer',
      highWaterMark: config.INGESTER_FIREHOSE_STREAM_HIGH_WATER_MARK,
    },
    {
      stream: config.BACKFILLER_FIREHOSE_STREAM,
      group: config.INDEXER_GROUP,
      role: 'indexer',
      highWaterMark: config.BACKFILLER_FIREHOSE_STREAM_HIGH_WATER_MARK,
    },
    {
      stream: config.INGESTER_REPO_STREAM,
      group: config.BACKFILLER_GROUP,
      role: 'backfiller',
      highWaterMark: config.INGESTER_REPO_STREAM_HIGH_WATER_MARK,
    },
    {
      stream: config.INGESTER_LABEL_STREAM,
      group: config.INDEXER_LABEL_GROUP,
      role: 'indexer',
      highWaterMark: config.INGESTER_LABEL_STREAM_HIGH_WATER_MARK,
    },
  ]
}

/** The cursors that an ingester with these variables keeps. */
export function configuredCursors(
  config: Pick<
    AdminConfig,
    | 'INGESTER_HOSTS'
    | 'INGESTER_LABELER_HOSTS'
    | 'INGESTER_FIREHOSE_STREAM'
    | 'INGESTER_REPO_STREAM'
    | 'INGESTER_LABEL_STREAM'
  >,
): CursorOf[] {
  const { INGESTER_HOSTS: hosts = [], INGESTER_LABELER_HOSTS: labelers = [] } = config
  return [
    ...hosts.map((host) => ({ stream: config.INGESTER_FIREHOSE_STREAM, host })),
    ...hosts.map((host) => ({ stream: config.INGESTER_REPO_STREAM, host })),
    ...labelers.map((host) => ({ stream: config.INGESTER_LABEL_STREAM, host })),
  ]
}
