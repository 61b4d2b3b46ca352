import {
  commaList,
  databaseVariables,
  defineConfig,
  durationOr,
  identityVariables,
  integer,
  oneOf,
  processVariables,
  streamVariables,
  text,
} from '@millrace/runtime'
import { groups, streams } from '@millrace/stream-protocol'

export const indexerConfig = defineConfig({
  INDEXER_CONSUMER: {
    schema: text('a name'),
    help: 'Name of this process in its consumer groups; no other process may have it',
  },
  INDEXER_STREAMS: {
    schema: commaList('streams'),
    default: `${streams.firehoseLive},${streams.firehoseBackfill}`,
    help: 'Streams of events to index',
  },
  INDEXER_LABEL_STREAM: { schema: text('a name'), default: streams.labelLive, help: 'Stream of labels to index' },
  INDEXER_GROUP: { schema: text('a name'), default: groups.firehose, help: 'Consumer group on the streams of events' },
  INDEXER_LABEL_GROUP: {
    schema: text('a name'),
    default: groups.label,
    help: 'Consumer group on the stream of labels',
  },
  INDEXER_CONCURRENCY: {
    schema: integer({ min: 1, max: 100 }),
    default: '2',
    help: 'Transactions of one stream at once; a long batch is divided between them by account',
  },
  INDEXER_BATCH_SIZE: {
    schema: integer({ min: 1, max: 10_000 }),
    default: '2000',
    help: 'Most entries in a batch; a short stream makes small ones',
  },
  INDEXER_OTHER_COLLECTIONS: {
    schema: oneOf('record', 'skip'),
    default: 'record',
    help: 'What becomes of collections that no plugin knows: kept in the table record, or counted and left',
  },
  INDEXER_NOTIFICATION_HORIZON: {
    schema: durationOr('all', 'none'),
    default: '3d',
    help: 'Age of a record up to which it notifies, such as 3d; or all, or none',
  },
  INDEXER_HANDLE_CONCURRENCY: {
    schema: integer({ min: 1, max: 1_000 }),
    default: '50',
    help: 'Handles that are looked up at once',
  },
  INDEXER_HANDLE_RATE: {
    schema: integer({ min: 1, max: 100_000 }),
    default: '100',
    help: 'Handles that are looked up in a second by this process; second looks are at most a tenth of it',
  },
  INDEXER_HANDLE_HOST_RATE: {
    schema: integer({ min: 1, max: 100_000 }),
    default: '20',
    help: 'Questions in a second to one domain of handles or of did:web; the PLC directory and HANDLE_RESOLVER_URL are asked as fast as they answer',
  },
  INDEXER_HANDLE_RECHECK: {
    schema: durationOr('never'),
    default: '24h',
    help: 'Time after which a handle is looked at again although nothing was heard of it',
  },
  ...streamVariables,
  ...databaseVariables,
  ...identityVariables,
  ...processVariables({ metricsPort: 4020 }),
})
