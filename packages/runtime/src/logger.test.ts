import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { LogSampler } from './log-sampler.ts'
import { createLogger, type LoggerOptions } from './logger.ts'
import { describeError, redact } from './redact.ts'

function logged(options: Partial<LoggerOptions> = {}) {
  const written: string[] = []
  const logger = createLogger({ name: 'test', ...options, destination: { write: (line) => written.push(line) } })
  return { logger, written, line: (index = 0) => JSON.parse(written[index] ?? '') as Record<string, unknown> }
}

describe('createLogger', () => {
  test('writes a JSON object a line, with time, level, name and fields', () => {
    const { logger, line, written } = logged()
    logger.child({ component: 'writer' }).info({ seq: 5, big: 5n }, 'hello')
    expect(line()).toMatchObject({ level: 'info', name: 'test', component: 'writer', seq: 5, big: '5', msg: 'hello' })
    expect(new Date(String(line()['time'])).getTime()).not.toBeNaN()
    expect(written[0]).toMatch(/^[^\n]*\n$/)
  })

  test('writes nothing below its level', () => {
    const { logger, written } = logged({ level: 'warn' })
    logger.info({}, 'no')
    logger.warn({}, 'yes')
    expect(written).toHaveLength(1)
  })

  test('takes the passwords out of connection strings, in fields, messages and errors (M9)', () => {
    const { logger, written } = logged()
    const url = 'postgres://user:hunter2@db/x?sslpassword=hunter2'
    logger.error({ url, err: new Error(`cannot reach ${url}`, { cause: new Error(url) }) }, `no ${url}`)
    expect(written[0]).not.toContain('hunter2')
    expect(written[0]).toContain('postgres://***@db/x')
  })

  test('escapes control characters, so that no field forges a line or steers a terminal (O4)', () => {
    for (const pretty of [false, true]) {
      const { logger, written } = logged({ pretty })
      logger.info({ handle: 'a\n{"level":"error"}\u001b[2J\u2028\u202e' }, 'from\r\nthe network\u0007')
      const text = written.join('').replaceAll('\n', ' ')
      // What is left of escapes, besides those that colour a line, would be the forged ones.
      expect(pretty ? stripVTControlCharacters(text) : text).not.toMatch(/[\p{Cc}\u2028\u202e]/u)
      expect(text).not.toContain('[2J\u2028')
      expect(text).toContain(String.raw`the network`)
      expect(written.join('').trimEnd().split('\n').length).toBe(pretty ? 2 : 1)
    }
  })

  test('bounds lines, however much it is given (O4)', () => {
    const { logger, written } = logged()
    const long = 'x'.repeat(100_000)
    const circular: Record<string, unknown> = { long }
    circular['self'] = circular
    logger.info({ long, circular, list: Array.from({ length: 1_000 }, () => long), err: new Error(long) }, long)
    expect(written[0]?.length).toBeLessThan(40_000)
    expect(() => JSON.parse(written[0] ?? '') as unknown).not.toThrow()
  })

  test('keeps what errors carry, with their causes', () => {
    const { logger, line } = logged()
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    logger.error({ err: new AggregateError([cause], 'all failed', { cause }) }, 'failed')
    expect(line()['err']).toMatchObject({
      type: 'AggregateError',
      message: 'all failed',
      cause: { message: 'refused', code: 'ECONNREFUSED' },
      errors: [{ code: 'ECONNREFUSED' }],
    })
    expect((line()['err'] as { stack: string }).stack).toContain('logger.test.ts')
  })

  test('writes a warning that repeats a few times only (O4)', () => {
    const { logger, written } = logged()
    for (let time = 0; time < 500; time++) logger.warn({ time }, 'again')
    logger.warn({}, 'something else')
    expect(written).toHaveLength(21)
  })
})

test('a kind of line returns with the number left out once its window is over', () => {
  const sampler = new LogSampler({ windowMs: 100, linesPerWindow: 2, maxKinds: 2 })
  const take = (at: number) => sampler.take('a', at)
  expect([take(0), take(1), take(2), take(3), take(100)]).toEqual([
    { write: true, leftOut: 0 },
    { write: true, leftOut: 0 },
    { write: false, leftOut: 0 },
    { write: false, leftOut: 0 },
    { write: true, leftOut: 2 },
  ])
  sampler.take('b', 101)
  sampler.take('c', 102)
  expect(take(103)).toEqual({ write: true, leftOut: 0 })
})

test.each([
  ['redis://:secret@h:1/0', 'redis://***@h:1/0'],
  ['see postgres://a:b@h/x and amqp://c@h', 'see postgres://***@h/x and amqp://***@h'],
  ['https://bsky.network/xrpc?token=abc&x=1', 'https://bsky.network/xrpc?token=***&x=1'],
  ['at://did:plc:abc/app.bsky.feed.post/3k', 'at://did:plc:abc/app.bsky.feed.post/3k'],
  ['https://example.com/@alice', 'https://example.com/@alice'],
])('%s is written as %s', (text, expected) => {
  expect(redact(text)).toBe(expected)
})

test.each([
  [new Error('outer', { cause: new Error('inner') }), 'outer: inner'],
  [new Error('cannot do it: inner', { cause: new Error('inner') }), 'cannot do it: inner'],
  [Object.assign(new AggregateError([new Error('one'), new Error('two')]), {}), 'one, two'],
  [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['a string', 'a string'],
  [undefined, ''],
])('%o is described in one line', (error, line) => {
  expect(describeError(error)).toBe(line)
})
