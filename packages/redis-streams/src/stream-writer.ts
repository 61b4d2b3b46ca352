import { isGuarded } from '@millrace/failpoints'
import {
  CursorConflictError,
  DEFAULT_HIGH_WATER_MARK,
  noMeter,
  silentLogger,
  sleep,
  type AppendOptions,
  type Codec,
  type CursorMove,
  type EventSink,
  type Logger,
  type Meter,
  type WriterOptions,
} from '@millrace/stream-protocol'
import { WriterMetrics } from '@millrace/stream-protocol/store-kit'
import { RedisScript, type RedisConnection } from './connect.ts'
import { isTransient, UnexpectedReplyError } from './errors.ts'
import { persist } from './persist.ts'
import { asInteger, asList, asText } from './replies.ts'

export interface StreamWriterOptions<T> extends WriterOptions<T> {
  redis: RedisConnection
  logger?: Logger
  meter?: Meter
}

/**
 * Everything that one append decides, in one step that nothing comes between (hazard I1).
 *
 * KEYS: stream, and the cursor if there is one. ARGV: field, high water mark (0: do not look), then for a cursor
 * `value` or `none` with what is expected and the new value, then the events. Redis refuses the first write of a script
 * when it is full or read-only, so that nothing is written; a key of the wrong type fails before anything is written.
 */
const appendScript = new RedisScript(`
local events = 3
if #KEYS == 2 then
  events = 6
  local stored = redis.call('GET', KEYS[2])
  local expected = ARGV[3] == 'value' and ARGV[4] or false
  if ${isGuarded('cursor') ? 'stored ~= expected' : 'false'} then
    if stored == ARGV[5] then return {'already'} end
    return {'conflict', stored}
  end
end
local mark = tonumber(ARGV[2])
if mark > 0 and #ARGV >= events then
  local length = redis.call('XLEN', KEYS[1])
  if length >= mark then return {'full', length} end
end
for i = events, #ARGV do
  redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[i])
end
if #KEYS == 2 then redis.call('SET', KEYS[2], ARGV[5]) end
return {'appended', #ARGV - events + 1}
`)

/** A script runs while all other clients wait: about 5 ms for this many entries. */
const CHUNK_ENTRIES = 2_000
const CHUNK_CHARACTERS = 8 * 1024 * 1024

/**
 * Appends events to a stream, one entry each, and moves a cursor with them.
 *
 * Guarantees: events stand in the stream in the order given; a batch with a cursor is in the stream exactly when the
 * cursor has moved, whatever connection or process broke on the way; while the stream is at its high water mark
 * nothing is added. Without a cursor a batch whose reply was lost is sent again, and may then stand twice.
 */
export class StreamWriter<T> implements EventSink<T> {
  readonly stream: string
  readonly #redis: RedisConnection
  readonly #codec: Codec<T>
  readonly #highWaterMark: number
  readonly #checkMs: number
  readonly #logger: Logger
  readonly #metrics: WriterMetrics

  constructor({
    redis,
    stream,
    codec,
    highWaterMark = DEFAULT_HIGH_WATER_MARK,
    checkMs = 5_000,
    logger = silentLogger,
    meter = noMeter,
  }: StreamWriterOptions<T>) {
    this.stream = stream
    this.#redis = redis
    this.#codec = codec
    this.#highWaterMark = highWaterMark
    this.#checkMs = checkMs
    this.#logger = logger.child({ component: 'stream-writer', stream })
    this.#metrics = new WriterMetrics(meter, stream)
  }

  /**
   * As `EventSink.append`. Loss of Redis, and a Redis that is full or starting, is waited out until the signal is
   * aborted. A call that was aborted while Redis was away may still have appended.
   */
  async append(events: readonly T[], { cursor, signal }: AppendOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (events.length === 0 && !cursor) return
    const texts = events.map((event) => this.#codec.encode(event))
    if (cursor) return await this.#appendChunk(texts, this.#highWaterMark, cursor, signal)
    // Only the first chunk waits at the mark: a batch that has begun goes through.
    let mark = this.#highWaterMark
    for (const chunk of chunks(texts)) {
      await this.#appendChunk(chunk, mark, undefined, signal)
      mark = 0
    }
  }

  async #appendChunk(
    texts: readonly string[],
    mark: number,
    cursor: CursorMove | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const keys = cursor ? [this.stream, cursor.key] : [this.stream]
    const args = [this.#codec.field, String(isGuarded('high-water') ? mark : 0)]
    if (cursor) args.push(cursor.from === null ? 'none' : 'value', cursor.from ?? '', cursor.to)
    args.push(...texts)
    while (true) {
      const reply = await persist(() => this.#redis.script(appendScript, keys, args), {
        what: `append to ${this.stream}`,
        logger: this.#logger,
        signal,
        onRetry: () => this.#metrics.retried(),
      })
      const [answer, detail = null] = asList(reply, 'append')
      const outcome = asText(answer, 'outcome of an append')
      switch (outcome) {
        case 'appended':
          if (detail !== texts.length) throw new UnexpectedReplyError(`appended ${String(detail)} of ${texts.length}`)
          this.#metrics.appended(texts.length)
          return
        case 'already':
          return
        case 'conflict':
          this.#metrics.conflicted()
          throw new CursorConflictError(cursor!.key, cursor!.from, typeof detail === 'string' ? detail : null)
        case 'full':
          await this.#waitBelowMark(asInteger(detail, 'length'), signal)
          break
        default:
          throw new UnexpectedReplyError(`append answered ${outcome}`)
      }
    }
  }

  async #waitBelowMark(length: number, signal: AbortSignal | undefined): Promise<void> {
    using _ = this.#metrics.waiting()
    const highWaterMark = this.#highWaterMark
    this.#logger.info({ length, highWaterMark }, 'stream is at its high water mark: waiting')
    while (true) {
      await sleep(this.#checkMs, signal)
      signal?.throwIfAborted()
      try {
        if (asInteger(await this.#redis.command(['XLEN', this.stream]), 'length') < highWaterMark) return
      } catch (error) {
        // A length that cannot be read counts as above the mark (hazard S14).
        if (!isTransient(error)) throw error
        this.#logger.warn({ err: error }, 'cannot read the length of the stream: waiting on')
      }
    }
  }
}

function* chunks(texts: readonly string[]): Generator<readonly string[]> {
  let start = 0
  let characters = 0
  for (const [i, text] of texts.entries()) {
    characters += text.length
    if (i > start && (i - start >= CHUNK_ENTRIES || characters > CHUNK_CHARACTERS)) {
      yield texts.slice(start, i)
      start = i
      characters = text.length
    }
  }
  if (start < texts.length) yield texts.slice(start)
}
