import {
  defineConfig,
  duration,
  identityVariables,
  integer,
  optionalDatabaseVariables,
  processVariables,
  streamVariables,
  text,
} from '@millrace/runtime'
import { DEFAULT_HIGH_WATER_MARK, groups, streams } from '@millrace/stream-protocol'

const { DID_PLC_URL, MILLRACE_ALLOW_PRIVATE_HOSTS } = identityVariables

export const backfillerConfig = defineConfig({
  BACKFILLER_CONSUMER: {
    schema: text('a name'),
    help: 'Name of this process in its group; no other may have it at the same time, and it is kept over restarts',
  },
  BACKFILLER_GROUP: { schema: text('a name'), default: groups.repoBackfill, help: 'Group that shares the repos' },
  BACKFILLER_CONCURRENCY: { schema: integer({ min: 1, max: 1_000 }), default: '2', help: 'Repos fetched at a time' },
  BACKFILLER_BACKFILL_STREAM: {
    schema: text('a name'),
    default: streams.repoBackfill,
    help: 'Stream that holds the repos to fetch',
  },
  BACKFILLER_FIREHOSE_STREAM: {
    schema: text('a name'),
    default: streams.firehoseBackfill,
    help: 'Stream that the records of repos are written to',
  },
  BACKFILLER_FIREHOSE_STREAM_HIGH_WATER_MARK: {
    schema: integer({ min: 1 }),
    default: String(DEFAULT_HIGH_WATER_MARK),
    help: 'Entries in that stream at which its writers wait',
  },
  BACKFILLER_ATTEMPTS: {
    schema: integer({ min: 1, max: 100 }),
    default: '5',
    help: 'Times that a repo which fails its verification is fetched, over a day, before it is given up',
  },
  BACKFILLER_CLAIM_IDLE: {
    schema: duration(),
    default: '1m',
    help: 'Time after which the repos of a process that went away are taken over, however long one may take',
  },
  BACKFILLER_RESYNC_CONCURRENCY: {
    schema: integer({ min: 1, max: 1_000 }),
    default: '2',
    help: 'Repos fetched at a time because something of them was lost, or may have been',
  },
  BACKFILLER_COMPARE_EVERY: {
    schema: duration(),
    default: '7d',
    help: 'Time after which all repos of a host are compared with ours, whether or not anything is known to be missing',
  },
  ...streamVariables,
  ...optionalDatabaseVariables,
  DID_PLC_URL,
  MILLRACE_ALLOW_PRIVATE_HOSTS,
  ...processVariables({ metricsPort: 4010 }),
})
