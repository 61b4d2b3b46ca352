import type { Guard } from '@millrace/failpoints'

/** The test that turns red without a guard. */
export interface Catcher {
  /** From the root of the repository. */
  file: string
  /** Its own name, without those of the groups around it. */
  test: string
}

const service = 'packages/indexing/src/indexing-service.pg.test.ts'
const accounts = 'packages/indexing/src/accounts/accounts.pg.test.ts'
const runs = 'packages/indexing/src/repos/runs.pg.test.ts'
const indexer = 'packages/indexing/src/stream-indexer.pg.test.ts'
const threads = 'packages/indexing-plugins/src/threads/threads.pg.test.ts'
const streams = 'packages/redis-streams/src/conformance.redis.test.ts'
const convert = 'packages/ingest/src/convert.test.ts'

export const catchers: Readonly<Record<Guard, Catcher>> = {
  rev: {
    file: service,
    test: 'a live update stays when an older whole repo has the version before it, one by one and as a batch',
  },
  'same-rev': {
    file: service,
    test: 'another content at the revision that is stored changes nothing and marks the account (G6)',
  },
  tombstone: {
    file: service,
    test: 'a live deletion stays one when an older whole repo still has the record (G6, G7), one by one and as a batch',
  },
  floor: { file: runs, test: 'of two the newer counts, also when the older comes last (B12)' },
  'snapshot-floor': { file: runs, test: 'of two the newer counts, also when the older comes last (B12)' },
  'deletion-floor': {
    file: accounts,
    test: 'does not bring back what was removed from it before, or while it was deleted (G7)',
  },
  'account-order': {
    file: accounts,
    test: 'an older word of the same host changes nothing, in one batch or in two',
  },
  'passed-over': { file: accounts, test: 'each is counted as skipped, and moves no revision (I17, X16)' },
  'pair-order': { file: service, test: 'the smallest URI has it, and its end promotes the next, to the last' },
  'label-order': {
    file: 'packages/indexing/src/labels/plan-labels.test.ts',
    test: 'one of the future, by a later negation',
  },
  'run-barrier': { file: runs, test: 'sweeps nothing before it is complete (B8, B13)' },
  sweep: { file: runs, test: 'removes what is older and not in it, with its counts; what is newer stays (B11)' },
  chain: { file: runs, test: 'a lost commit is found, marked once, and mended by a snapshot (I19, X16)' },
  'chain-mark': { file: runs, test: 'a lost commit is found, marked once, and mended by a snapshot (I19, X16)' },
  'reported-rev': { file: runs, test: 'a lost commit is found, marked once, and mended by a snapshot (I19, X16)' },
  'dirty-mark': {
    file: convert,
    test: 'that is too big is no "nothing changed": its account is marked (I18)',
  },
  'cool-down': { file: runs, test: 'a repo that breaks again and again is fetched less and less often (B17)' },
  retract: {
    file: threads,
    test: 'a gate that comes late takes back once who was told and what was counted (X14, A3)',
  },
  'count-unless': {
    file: threads,
    test: 'a gate that comes late takes back once who was told and what was counted (X14, A3)',
  },
  'lock-order': {
    file: 'packages/indexing/src/batch-locks.test.ts',
    test: 'locks are taken in one order, whatever order they are asked for in (X3)',
  },
  'deadlock-retry': { file: 'packages/database/src/classify-error.test.ts', test: '40P01 is transient (G9)' },
  halving: {
    file: indexer,
    test: 'when the database refuses it: it is a dead letter, and no record, which fetching it again would not change (X9)',
  },
  'dead-letter': {
    file: indexer,
    test: 'when it is no event at all: kept raw, its account marked or a gap noted (S20)',
  },
  'ack-after-commit': { file: indexer, test: 'a stop in the middle of one leaves the entries in the stream' },
  cursor: { file: streams, test: 'of two writers that advance one cursor at once, one is refused (I1)' },
  'high-water': { file: streams, test: 'an append at the high water mark waits until entries have left' },
  'group-start': { file: streams, test: 'a group begins at the first entry of the stream (S4)' },
  'own-pending': {
    file: streams,
    test: 'entries not acked come back after a restart of their consumer, before new ones (G3)',
  },
  claim: { file: streams, test: 'entries of a consumer that is gone are taken over once idle (S6)' },
  'pending-consumer': { file: streams, test: 'a consumer is forgotten once it is idle and has nothing pending (S9)' },
  'other-groups': { file: streams, test: 'an entry stays until every group has acked it' },
  'consumer-lease': {
    file: 'packages/database/src/consumer-lease.pg.test.ts',
    test: 'a second process with the same name takes a suffix, and says so (S8)',
  },
  'stream-epoch': {
    file: 'apps/ingester/src/stream-epoch.service.test.ts',
    test: 'what another store has is read again, once, by one process (I5)',
  },
  'database-tally': {
    file: 'apps/ingester/src/stream-epoch.service.test.ts',
    test: 'what a database lacks that was restored is read again, once, by one process, and compared (I4)',
  },
  'commit-proof': {
    file: convert,
    test: 'that claims another record is invalid, and its account is marked (I18, I19, G4)',
  },
  'commit-signature': {
    file: 'packages/ingest/src/signature-gate.test.ts',
    test: 'of strangers are invalid, mark the account, and change nothing for those that hold (I19, I20)',
  },
  'repo-signature': {
    file: 'packages/repo-backfill/src/verify-repo.test.ts',
    test: 'a commit signed by another key is refused (B7)',
  },
  'label-signature': {
    file: 'packages/ingest/src/label-verifier.test.ts',
    test: 'one that is signed by another key is dropped, counted and kept, and the others are taken',
  },
  'owed-collections': {
    file: 'packages/database/src/collection-setting.pg.test.ts',
    test: 'one that is made wider leaves the past of what was left out missing, until that is planned (I25)',
  },
}
