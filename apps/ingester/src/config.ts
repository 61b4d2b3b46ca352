import {
  defineConfig,
  hostList,
  identityVariables,
  integer,
  oneOf,
  optionalDatabaseVariables,
  processVariables,
  streamVariables,
  text,
  value,
  type ConfigOf,
} from '@millrace/runtime'
import { CollectionFilter, DEFAULT_HIGH_WATER_MARK, isDid, streams } from '@millrace/stream-protocol'

const { DID_PLC_URL, MILLRACE_ALLOW_PRIVATE_HOSTS } = identityVariables

const highWaterMark = {
  schema: integer({ min: 1 }),
  default: String(DEFAULT_HIGH_WATER_MARK),
} as const

function readCollections(list: string): CollectionFilter | undefined {
  try {
    return new CollectionFilter(list.split(',').map((pattern) => pattern.trim()))
  } catch {
    return undefined
  }
}

/** All accounts, those that have records of the collections, some, or those of a file. */
export type RepoChoice = 'all' | 'by-collection' | { dids: readonly string[] } | { file: string }

function readRepos(text: string): RepoChoice | undefined {
  if (text === '*') return 'all'
  if (text === 'by-collection') return text
  if (!text.startsWith('did:')) return { file: text }
  const dids = text.split(',').map((did) => did.trim())
  return dids.every((did) => isDid(did)) ? { dids } : undefined
}

export const ingesterConfig = defineConfig({
  INGESTER_HOSTS: {
    schema: hostList(),
    help: 'Relays or PDSs to read: the firehose of each, and once the list of its repos',
  },
  INGESTER_LABELER_HOSTS: { schema: hostList().optional(), help: 'Labelers to read' },
  INGESTER_UNSIGNED_LABELERS: {
    schema: hostList().optional(),
    help: 'Labelers of these that sign nothing; labels without a signature of all others are dropped',
  },
  INGESTER_COLLECTIONS: {
    schema: value(
      'a comma-separated list of collections such as app.bsky.*,xyz.statusphere.status, or *',
      readCollections,
    ),
    default: '*',
    help: 'Collections that records are taken of, by live events and by backfillers of the same database; more than before has all repos fetched anew',
  },
  INGESTER_REPOS: {
    schema: value(
      'DIDs, separated by commas, or the path of a file with a DID first in each line, or by-collection, or *',
      readRepos,
    ),
    default: '*',
    help: 'Accounts that are taken: their live events, and their repos, in place of all that the hosts list; those that come new to the list have their repos fetched. by-collection: those that have records of INGESTER_COLLECTIONS. Needs DB_POSTGRES_URL',
  },
  INGESTER_FIREHOSE_STREAM: {
    schema: text('a name'),
    default: streams.firehoseLive,
    help: 'Stream that live events are written to',
  },
  INGESTER_LABEL_STREAM: {
    schema: text('a name'),
    default: streams.labelLive,
    help: 'Stream that labels are written to',
  },
  INGESTER_REPO_STREAM: {
    schema: text('a name'),
    default: streams.repoBackfill,
    help: 'Stream that the repos to fetch are written to',
  },
  INGESTER_FIREHOSE_STREAM_HIGH_WATER_MARK: {
    ...highWaterMark,
    help: 'Entries in the stream of live events at which its writers wait',
  },
  INGESTER_LABEL_STREAM_HIGH_WATER_MARK: {
    ...highWaterMark,
    help: 'Entries in the stream of labels at which its writers wait',
  },
  INGESTER_REPO_STREAM_HIGH_WATER_MARK: {
    ...highWaterMark,
    help: 'Entries in the stream of repos at which its writers wait',
  },
  INGESTER_VERIFY: {
    schema: oneOf('integrity', 'signatures', 'off'),
    default: 'integrity',
    help: 'What is checked: of a commit all that it proves by itself (hashes, operations against the tree), of a label its signature; the same, and the signature of a commit; or nothing',
  },
  INGESTER_VERIFY_THREADS: {
    schema: integer({ max: 64 }),
    default: '1',
    help: 'Threads that check signatures of commits; 0 for the one that does all else',
  },
  ...streamVariables,
  ...optionalDatabaseVariables,
  DID_PLC_URL,
  MILLRACE_ALLOW_PRIVATE_HOSTS,
  ...processVariables({ metricsPort: 4000 }),
})

/** What is wrong with the choice of accounts, beside that of collections. */
export function selectionProblem({
  INGESTER_REPOS,
  INGESTER_COLLECTIONS,
}: Pick<ConfigOf<typeof ingesterConfig>, 'INGESTER_REPOS' | 'INGESTER_COLLECTIONS'>): string | undefined {
  const wide = INGESTER_COLLECTIONS.patterns.filter((pattern) => pattern.endsWith('*'))
  if (INGESTER_REPOS !== 'by-collection' || wide.length === 0) return undefined
  return `INGESTER_REPOS=by-collection has hosts list the accounts of each collection, which they do by its whole name, and INGESTER_COLLECTIONS has ${wide.join(' and ')}: name the collections one by one`
}
