import {
  commaList,
  defineConfig,
  duration,
  hostList,
  identityVariables,
  integer,
  optionalDatabaseVariables,
  port,
  processVariables,
  streamVariables,
  text,
  url,
  urlList,
} from '@millrace/runtime'
import { DEFAULT_HIGH_WATER_MARK, groups, streams } from '@millrace/stream-protocol'

const highWaterMark = {
  schema: integer({ min: 1 }),
  default: String(DEFAULT_HIGH_WATER_MARK),
  help: 'As its writers have it',
} as const

export const adminConfig = defineConfig({
  ADMIN_PORT: { schema: port(), default: '4030', help: 'Port of the admin methods; 0 takes a free one and logs it' },
  ADMIN_PASSWORDS: {
    schema: commaList('passwords').optional(),
    help: 'Accepted passwords of the user admin; without any, only this machine can reach the server',
    secret: true,
  },
  ADMIN_SERVICE_DID: {
    schema: text('a DID').optional(),
    help: 'DID that tokens of accounts (service auth) have to be meant for; needs ADMIN_PASSWORDS as well',
  },
  ADMIN_PUBLIC_URL: {
    schema: url('http', 'https').optional(),
    help: 'Where others reach the server: told at /.well-known/did.json, as the document of ADMIN_SERVICE_DID',
  },
  ADMIN_VIEWERS: { schema: commaList('DIDs').optional(), help: 'Accounts whose tokens may look' },
  ADMIN_OPERATORS: { schema: commaList('DIDs').optional(), help: 'Accounts whose tokens may look and change' },
  ADMIN_BIND: {
    schema: text('an address').optional(),
    help: 'Address that ADMIN_PORT is opened on: 127.0.0.1 when there is no password, 0.0.0.0 otherwise',
  },
  ADMIN_STALLED_AFTER: {
    schema: duration(),
    default: '5m',
    help: 'Time without an ack, while entries wait, after which a group counts as standing still',
  },
  ADMIN_ALERT_WEBHOOKS: {
    schema: urlList('http', 'https').optional(),
    help: 'URLs that are told of alarms, as JSON; in the shape of Slack or Discord for theirs. Of one admin process alone',
    secret: true,
  },
  ADMIN_ALERT_REPEAT: {
    schema: duration(),
    default: '4h',
    help: 'Time after which webhooks are told again of an alarm that lasts',
  },
  ADMIN_DEADMAN_URL: {
    schema: url('http', 'https').optional(),
    help: 'URL that is asked for every minute, only while every group is at work',
    secret: true,
  },
  INGESTER_HOSTS: { schema: hostList().optional(), help: 'Relays whose cursors are shown' },
  INGESTER_LABELER_HOSTS: { schema: hostList().optional(), help: 'Labelers whose cursors are shown' },
  INGESTER_FIREHOSE_STREAM: { schema: text('a name'), default: streams.firehoseLive, help: 'Stream of live events' },
  INGESTER_LABEL_STREAM: { schema: text('a name'), default: streams.labelLive, help: 'Stream of labels' },
  INGESTER_REPO_STREAM: { schema: text('a name'), default: streams.repoBackfill, help: 'Stream of repos to fetch' },
  BACKFILLER_FIREHOSE_STREAM: {
    schema: text('a name'),
    default: streams.firehoseBackfill,
    help: 'Stream of the records of whole repos',
  },
  INGESTER_FIREHOSE_STREAM_HIGH_WATER_MARK: highWaterMark,
  INGESTER_LABEL_STREAM_HIGH_WATER_MARK: highWaterMark,
  INGESTER_REPO_STREAM_HIGH_WATER_MARK: highWaterMark,
  BACKFILLER_FIREHOSE_STREAM_HIGH_WATER_MARK: highWaterMark,
  INDEXER_GROUP: {
    schema: text('a name'),
    default: groups.firehose,
    help: 'Group that has to read the streams of events',
  },
  INDEXER_LABEL_GROUP: {
    schema: text('a name'),
    default: groups.label,
    help: 'Group that has to read the stream of labels',
  },
  BACKFILLER_GROUP: {
    schema: text('a name'),
    default: groups.repoBackfill,
    help: 'Group that has to read the stream of repos',
  },
  ...streamVariables,
  ...optionalDatabaseVariables,
  ...identityVariables,
  ...processVariables({ metricsPort: 4040 }),
})
