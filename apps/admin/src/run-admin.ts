import { ProgressWatch } from '@millrace/diagnosis'
import { chooseStreams, runAll, StreamGauges, type ProcessContext } from '@millrace/runtime'
import { openLedgerDatabase, openStreams } from '@millrace/stores'
import type { Loop } from '@millrace/stream-protocol'
import { createAdminServer, defaultBind } from './admin-server.ts'
import { watchAlarms } from './alarms/watch-alarms.ts'
import { checkAdminConfig } from './check-admin-config.ts'
import type { adminConfig } from './config.ts'
import { describePipeline } from './describe-pipeline.ts'
import { pipelineCheck } from './pipeline-check.ts'
import { ServiceAuth } from './service-auth.ts'
import { serviceDidDocument } from './service-did-document.ts'

/** The admin process: opens what it reads from, and serves until it is stopped. */
export async function runAdmin(context: ProcessContext<typeof adminConfig>): Promise<void> {
  const { config, env, logger, meter, health, signal, version } = context
  const passwords = config.ADMIN_PASSWORDS ?? []
  const bind = config.ADMIN_BIND
  checkAdminConfig(config)
  const didDocument =
    config.ADMIN_PUBLIC_URL === undefined
      ? undefined
      : serviceDidDocument(config.ADMIN_SERVICE_DID, config.ADMIN_PUBLIC_URL)

  // A store that is away is what people ask it about then.
  const patience = { mayBeAway: true, waitMs: 2_000 }
  await using store = await openStreams(chooseStreams(config, env), { ...patience, logger, meter, signal })
  health.add('store', () => store.ping())
  await using database = await openLedgerDatabase({
    config,
    health,
    applicationName: 'millrace-admin',
    // It looks, and changes little, and never long.
    migrates: false,
    ...patience,
    pipeline: true,
    statementTimeoutMs: 5_000,
    logger,
    signal,
  })

  const pipeline = describePipeline(config, { bind: bind ?? defaultBind(passwords), hasPassword: passwords.length > 0 })
  const names = [...new Set(pipeline.declared.map(({ stream }) => stream))]
  const watch = new ProgressWatch({ store, streams: names, stalledAfterMs: config.ADMIN_STALLED_AFTER, logger, meter })
  const { sources, problems, loops } = watchAlarms({
    sources: { ...pipeline, store, ...(database && { database }), watch },
    repeatMs: config.ADMIN_ALERT_REPEAT,
    deadmanUrl: config.ADMIN_DEADMAN_URL,
    logger,
    meter,
  })
  health.add('pipeline', pipelineCheck(problems))
  await using server = await createAdminServer({
    port: config.ADMIN_PORT,
    passwords,
    ...(config.ADMIN_SERVICE_DID !== undefined && {
      serviceAuth: new ServiceAuth({
        serviceDid: config.ADMIN_SERVICE_DID,
        viewers: config.ADMIN_VIEWERS ?? [],
        operators: config.ADMIN_OPERATORS ?? [],
        resolver: pipeline.resolver,
      }),
    }),
    didDocument,
    ...(bind !== undefined && { bind }),
    sources,
    health,
    version,
    logger,
  })
  logger.info({ port: server.port, bind: server.bind, password: passwords.length > 0 }, 'admin server is open')
  const gauges: Loop = new StreamGauges({ store, streams: names, meter, logger })
  await runAll([gauges, watch, ...loops], signal, { logger, meter, health })
}
