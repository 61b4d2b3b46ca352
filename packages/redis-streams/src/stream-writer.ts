import { hastened, isGuarded } from '@millrace/failpoints'
import {
  CursorConflictError,
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
import { waterMarks, WriterMetrics, type WaterMarks } from '@millrace/stream-protocol/store-kit'
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
 * Which mark a stream is at, with what there is of it. An empty stream is at none: were the memory full of something
 * else, everybody would wait for nobody (hazard S15).
 */
const atMark = `
local function atMark(stream, entries, bytes, memory)
  local length = redis.call('XLEN', stream)
  if length == 0 then return nil end
  if length >= tonumber(entries) then return {'full', 'entries', length} end
  local size = redis.call('MEMORY', 'USAGE', stream, 'SAMPLES', '5')
  if size >= tonumber(bytes) then return {'full', 'bytes', size} end
  local info = redis.call('INFO', 'memory')
  local limit = tonumber(string.match(info, 'maxmemory:(%d+)') or '0')
  local used = tonumber(string.match(info, 'used_memory:(%d+)') or '0')
  if limit > 0 and used >= limit * tonumber(memory) then return {'full', 'memory', used} end
  return nil
end
`

/** KEYS: stream. ARGV: marks of entries, bytes and memory. */
const roomScript = new RedisScript(`${atMark} return atMark(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) or {'room'}`)

/**
 * Everything that one append decides, in one step that nothing comes between (hazard I1).
 *
 * KEYS: stream, and the cursor if there is one. ARGV: field, `look` or not, the marks of entries, bytes and memory, then
 * for a cursor `value` or `none` with what is expected and the new value, then the events. Redis refuses the first write of a script
 * when it is full or read-only, so that nothing is written; a key of the wrong type fails before anything is written.
 */
const appendScript = new RedisScript(`
${atMark}
local events = 6
if #KEYS == 2 then
  events = 9
  local stored = redis.call('GET', KEYS[2])
  local expected = ARGV[6] == 'value' and ARGV[7] or false
  if ${isGuarded('cursor') ? 'stored ~= expected' : 'false'} then
    if stored == ARGV[8] then return {'already'} end
    return {'conflict', stored}
  end
end
if ARGV[2] == 'look' and #ARGV >= events then
  local full = atMark(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
  if full then return full end
end
for i = events, #ARGV do
  redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[i])
end
if #KEYS == 2 then redis.call('SET', KEYS[2], ARGV[8]) end
return {'appended', #ARGV - events + 1}
`)

/** A script runs while all other clients wait: about 5 ms for this many entries. */
const CHUNK_ENTRIES = 2_000
const CHUNK_CHARACTERS = 8 * 1024 * 1024

/**
 * Appends events to a stream, one entry each, and moves a cursor with them.
 *
 * Guarantees: events stand in the stream in the order given; a batch with a cursor is in the stream exactly when the
 * cursor has moved, whatever connection or process broke on the way; while the stream is at a high water mark
 * nothing is added. Without a cursor a batch whose reply was lost is sent again, and may then stand twice.
 */
export class StreamWriter<T> implements EventSink<T> {
  readonly stream: string
  readonly #redis: RedisConnection
  readonly #codec: Codec<T>
  readonly #marks: { high: WaterMarks; low: WaterMarks }
  readonly #checkMs: number
  readonly #logger: Logger
  readonly #metrics: WriterMetrics

  constructor({
    redis,
    stream,
    codec,
    checkMs = hastened(5_000),
    logger = silentLogger,
    meter = noMeter,
    ...marks
  }: StreamWriterOptions<T>) {
    this.stream = stream
    this.#redis = redis
    this.#codec = codec
    this.#marks = waterMarks(marks)
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
    if (cursor) return await this.#appendChunk(texts, true, cursor, signal)
    // Only the first chunk waits at the mark: a batch that has begun goes through.
    let looks = true
    for (const chunk of chunks(texts)) {
      await this.#appendChunk(chunk, looks, undefined, signal)
      looks = false
    }
  }

  async #appendChunk(
    texts: readonly string[],
    looks: boolean,
    cursor: CursorMove | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const keys = cursor ? [this.stream, cursor.key] : [this.stream]
    const look = looks && isGuarded('high-water') ? 'look' : 'pass'
    const args = [this.#codec.field, look, ...markArguments(this.#marks.high)]
    if (cursor) args.push(cursor.from === null ? 'none' : 'value', cursor.from ?? '', cursor.to)
    args.push(...texts)
    while (true) {
      const reply = await persist(() => this.#redis.script(appendScript, keys, args), {
        what: `append to ${this.stream}`,
        logger: this.#logger,
        signal,
        onRetry: () => this.#metrics.retried(),
      })
      const [answer, detail = null, amount] = asList(reply, 'append')
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
          await this.#waitBelowMark(asText(detail, 'mark'), asInteger(amount, 'amount'), signal)
          break
        default:
          throw new UnexpectedReplyError(`append answered ${outcome}`)
      }
    }
  }

  async #waitBelowMark(mark: string, amount: number, signal: AbortSignal | undefined): Promise<void> {
    using _ = this.#metrics.waiting()
    this.#logger.info({ mark, amount, marks: this.#marks.high }, 'stream is at its high water mark: waiting')
    while (true) {
      await sleep(this.#checkMs, signal)
      signal?.throwIfAborted()
      try {
        const reply = await this.#redis.script(roomScript, [this.stream], markArguments(this.#marks.low))
        if (asText(asList(reply, 'room')[0], 'outcome of a look') === 'room') return
      } catch (error) {
        // What cannot be read counts as above the mark (hazard S14).
        if (!isTransient(error)) throw error
        this.#logger.warn({ err: error }, 'cannot read the length of the stream: waiting on')
      }
    }
  }
}

function markArguments({ entries, bytes, memory }: WaterMarks): string[] {
  return [entries, bytes, memory].map(String)
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
