import { statfs } from 'node:fs/promises'
import path from 'node:path'
import {
  DEFAULT_HIGH_WATER_BYTES,
  noMeter,
  silentLogger,
  type BatchSource,
  type ConsumerOptions,
  type CursorStore,
  type EventSink,
  type Logger,
  type Meter,
  type PendingEntry,
  type StoreDescription,
  type StoredFields,
  type StreamStatus,
  type StreamStore,
  type WriterOptions,
} from '@millrace/stream-protocol'
import { SqliteCursorStore } from './cursors.ts'
import { readEntries, readPending } from './read-entries.ts'
import { SqliteStreamConsumer } from './sqlite-consumer.ts'
import { SqliteStreamWriter } from './sqlite-writer.ts'
import { streamStatus } from './status.ts'
import { StreamFile } from './stream-file.ts'
import { groupRow, removeIdleConsumers } from './tables.ts'

export interface OpenSqliteStreamsOptions {
  /** Created when absent, with its folder. Beside it lie `-wal` and `-shm` while it is in use: they belong to it. */
  file: string
  /** Of writers that do not name their own. @default 1 GiB */
  highWaterBytes?: number
  logger?: Logger
  meter?: Meter
}

/**
 * Streams in one SQLite file. Several stores, in one process or in several on the same host, may have it open at once.
 * A network file system is no place for it: SQLite's locks do not hold there.
 */
export async function openSqliteStreams({
  file,
  highWaterBytes = DEFAULT_HIGH_WATER_BYTES,
  logger = silentLogger,
  meter = noMeter,
}: OpenSqliteStreamsOptions): Promise<StreamStore> {
  return new SqliteStreamStore(await StreamFile.open(file, logger), meter, highWaterBytes)
}

class SqliteStreamStore implements StreamStore {
  readonly kind = 'sqlite'
  readonly location: string
  readonly cursors: CursorStore
  readonly #file: StreamFile
  readonly #meter: Meter
  readonly #highWaterBytes: number

  constructor(file: StreamFile, meter: Meter, highWaterBytes: number) {
    this.location = file.path
    this.cursors = new SqliteCursorStore(file)
    this.#file = file
    this.#meter = meter
    this.#highWaterBytes = highWaterBytes
  }

  writer<T>(options: WriterOptions<T>): EventSink<T> {
    return new SqliteStreamWriter(this.#file, { highWaterBytes: this.#highWaterBytes, ...options }, this.#meter)
  }

  consumer<T>(options: ConsumerOptions<T>): BatchSource<T> {
    return new SqliteStreamConsumer(this.#file, options, this.#meter)
  }

  async ensureGroup(stream: string, group: string): Promise<void> {
    const { appends, logger } = this.#file
    await appends.transact(() => groupRow(appends, stream, group), { logger })
  }

  async removeIdleConsumers(stream: string, group: string, idleMs: number): Promise<string[]> {
    const { appends, logger } = this.#file
    return await appends.transact(() => removeIdleConsumers(appends, stream, group, Date.now() - idleMs), { logger })
  }

  async status(streams: readonly string[]): Promise<StreamStatus[]> {
    return streams.map((stream) => streamStatus(this.#file.reads, stream))
  }

  async read(stream: string, options: { after: string; limit: number }): Promise<StoredFields[]> {
    return readEntries(this.#file.reads, { stream, ...options })
  }

  async pending(stream: string, group: string, options: { after: string; limit: number }): Promise<PendingEntry[]> {
    return readPending(this.#file.reads, { stream, group, ...options })
  }

  async describe(): Promise<StoreDescription> {
    const version = this.#file.reads.get('select sqlite_version() as version')
    const { bsize, bavail, blocks } = await statfs(path.dirname(this.location))
    return {
      version: `SQLite ${String(version?.['version'])}`,
      now: Date.now(),
      disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize },
    }
  }

  async ping(): Promise<void> {
    this.#file.reads.get('select 1')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file[Symbol.dispose]()
  }
}
