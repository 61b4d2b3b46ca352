import { DEFAULT_HIGH_WATER_BYTES } from '@millrace/stream-protocol'
import { integer, flag, oneOf, port, text, url } from './config-values.ts'
import { defineConfig } from './config.ts'

/** Where the streams are. `chooseStreams` makes a choice of them. */
export const streamVariables = defineConfig({
  REDIS_URL: {
    schema: url('redis', 'rediss').optional(),
    help: 'Redis that holds the streams; rediss:// for TLS',
    secret: true,
  },
  REDIS_HOST: {
    schema: text('host or host:port').optional(),
    help: 'Redis that holds the streams, when REDIS_URL is not set; without TLS or password',
  },
  REDIS_ALLOW_EVICTION: {
    schema: flag(),
    default: 'no',
    help: 'Start on a Redis with a maxmemory-policy other than noeviction, which deletes streams when it is full',
  },
  STREAM_HIGH_WATER_MB: {
    schema: integer({ min: 1 }),
    default: String(DEFAULT_HIGH_WATER_BYTES / 1024 ** 2),
    help: 'Megabytes of one stream in its store at which its writers wait, however few its entries are',
  },
  MILLRACE_STREAMS: {
    schema: oneOf('redis', 'sqlite').optional(),
    help: 'What holds the streams; when it is not set, Redis if it is configured, and SQLite otherwise',
  },
  MILLRACE_DATA_DIR: {
    schema: text('a folder'),
    default: '.millrace',
    help: 'Folder of everything that is kept in files, such as the SQLite streams',
  },
})

const databaseTuning = {
  DB_POSTGRES_SCHEMA: {
    schema: text('a name'),
    default: 'bsky',
    help: 'Schema of the tables; the AppView that reads them is given the same',
  },
  DB_POSTGRES_POOL_SIZE: {
    schema: integer({ min: 1, max: 1_000 }),
    default: '10',
    help: 'Most connections to Postgres at a time',
  },
} as const

/** A process that cannot do without its database. */
export const databaseVariables = defineConfig({
  DB_POSTGRES_URL: {
    schema: url('postgres', 'postgresql'),
    help: 'Postgres that the rows and the bookkeeping are written to',
    secret: true,
  },
  ...databaseTuning,
})

/** A process that writes only its bookkeeping to the database, and runs without. */
export const optionalDatabaseVariables = defineConfig({
  DB_POSTGRES_URL: {
    schema: url('postgres', 'postgresql').optional(),
    help: 'Postgres that keeps dead letters, dirty marks and gaps; without it they are only counted',
    secret: true,
  },
  ...databaseTuning,
})

/** How accounts are looked up. */
export const identityVariables = defineConfig({
  DID_PLC_URL: {
    schema: url('http', 'https'),
    default: 'https://plc.directory',
    help: 'Directory of did:plc identities',
  },
  HANDLE_RESOLVER_URL: {
    schema: url('http', 'https').optional(),
    help: 'XRPC service that resolves handles in place of DNS and HTTPS lookups',
  },
  MILLRACE_ALLOW_PRIVATE_HOSTS: {
    schema: flag(),
    default: '0',
    help: 'Lets requests reach loopback and private addresses over http: for simulated networks, never in production',
  },
})

/** What every process reads. Each role has a metrics port of its own. */
export function processVariables(options: { metricsPort: number }) {
  return defineConfig({
    LOG_LEVEL: {
      schema: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      default: 'info',
      help: 'Least severe log lines that are written',
    },
    METRICS_PORT: {
      schema: port(),
      default: String(options.metricsPort),
      help: 'Port of /metrics, /livez and /readyz; 0 takes a free one and logs it',
    },
    METRICS_HOST: {
      schema: text('an address'),
      default: '0.0.0.0',
      help: 'Address that METRICS_PORT is opened on',
    },
  })
}

/** Names of all groups, which one file of variables may hold for every process. */
export const sharedVariableNames: readonly string[] = [
  ...Object.keys(streamVariables),
  ...Object.keys(databaseVariables),
  ...Object.keys(identityVariables),
  'LOG_LEVEL',
  'METRICS_PORT',
  'METRICS_HOST',
]
