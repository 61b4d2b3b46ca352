import { mkdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { silentLogger, sleep, type Logger } from '@millrace/stream-protocol'
import { Connection, isTransient } from './connection.ts'
import { createSchema } from './schema.ts'

/** How long opening waits for another process that is creating the same file. */
const OPEN_MS = 10_000

/**
 * The file, with two connections that differ in when they are durable.
 *
 * The file is one log (WAL): what a power cut takes away is always its tail, never something from the middle. So an ack
 * cannot outlive the append that came before it, nor a cursor the entries it stands for, and acks and deliveries do
 * without a flush of their own: losing them means that entries are delivered again. Appends and cursors are flushed
 * before they resolve, because others rely on them outside of this file: Postgres may remember that a repo is queued,
 * and a host does not send an event twice.
 */
export class StreamFile implements Disposable {
  readonly path: string
  readonly appends: Connection
  readonly reads: Connection
  readonly logger: Logger

  private constructor(file: string, logger: Logger) {
    this.appends = new Connection(file, { synchronous: 'full' })
    this.reads = new Connection(file, { synchronous: 'normal' })
    // Readers wait under this name, so two spellings of it must be one.
    this.path = realpathSync(file)
    this.logger = logger
  }

  static async open(file: string, logger: Logger = silentLogger): Promise<StreamFile> {
    const absolute = path.resolve(file)
    mkdirSync(path.dirname(absolute), { recursive: true })
    await setUp(absolute)
    return new StreamFile(absolute, logger.child({ component: 'sqlite-streams' }))
  }

  /** Number of the stream, if it exists. */
  findStream(name: string): number | undefined {
    const row = this.reads.get('select id from stream where name = ?', name)
    return row && Number(row['id'])
  }

  [Symbol.dispose](): void {
    this.appends.close()
    this.reads.close()
  }
}

async function setUp(file: string): Promise<void> {
  const deadline = performance.now() + OPEN_MS
  while (true) {
    const connection = new Connection(file, { synchronous: 'full' })
    try {
      connection.db.exec('pragma journal_mode = wal')
      createSchema(connection.db, file)
      return
    } catch (error) {
      if (!isTransient(error) || performance.now() > deadline) throw error
      await sleep(20)
    } finally {
      connection.close()
    }
  }
}
