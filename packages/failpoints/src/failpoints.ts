/** Places between two durable steps, by the process that comes by. A kill at any of them loses nothing (hazard G1). */
export const failpoints = {
  'ingester.converted': 'frames are read and verified, nothing of them is in the stream',
  'ingester.appended': 'events and cursor are in the stream, nobody was told',
  'ingester.checkpointed': 'the checkpoint of an upstream is in Postgres',
  'backfiller.fetched': 'a repo is fetched and verified, none of its events is in the stream',
  'backfiller.appended': 'some of the events of a repo are in the stream',
  'backfiller.finished': 'all events of a repo are in the stream, its entry is not acknowledged',
  'indexer.read': 'entries are read, nothing of them is in Postgres',
  'indexer.written': 'rows are written, not committed',
  'indexer.committed': 'rows are committed, entries are not acknowledged',
  'indexer.acknowledged': 'entries are acknowledged and removed',
} as const

/** Name of a place at which a process may be killed. */
export type Failpoint = keyof typeof failpoints
