import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { chooseStreams } from './choose-streams.ts'
import { readConfig } from './config.ts'
import { streamVariables } from './variables.ts'

const choose = (env: Record<string, string>) => chooseStreams(readConfig(streamVariables, env), env)

describe('chooseStreams', () => {
  test.each([
    [
      { REDIS_URL: 'redis://r:1', REDIS_HOST: 'other' },
      { kind: 'redis', url: 'redis://r:1', why: 'REDIS_URL is set' },
    ],
    [{ REDIS_HOST: 'r' }, { kind: 'redis', url: 'redis://r:6379', why: 'REDIS_HOST is set' }],
    [{ REDIS_HOST: 'r:7000' }, { kind: 'redis', url: 'redis://r:7000' }],
    [{ REDIS_HOST: '[::1]' }, { kind: 'redis', url: 'redis://[::1]:6379' }],
    [{ REDIS_HOST: '[::1]:7000' }, { kind: 'redis', url: 'redis://[::1]:7000' }],
    [{}, { kind: 'sqlite', file: path.resolve('.millrace/streams.sqlite') }],
    [{ MILLRACE_DATA_DIR: '/data' }, { kind: 'sqlite', file: '/data/streams.sqlite' }],
    [
      { MILLRACE_STREAMS: 'sqlite', REDIS_URL: 'redis://r' },
      { kind: 'sqlite', why: 'MILLRACE_STREAMS is sqlite' },
    ],
    [{ MILLRACE_STREAMS: 'redis', REDIS_HOST: 'r', NODE_ENV: 'production' }, { kind: 'redis' }],
    [{ MILLRACE_STREAMS: 'sqlite', NODE_ENV: 'production' }, { kind: 'sqlite' }],
  ] as const)('%o is %o', (env, choice) => {
    expect(choose(env)).toMatchObject(choice)
  })

  test.each([
    [{ NODE_ENV: 'production' }, /NODE_ENV=production set REDIS_URL or REDIS_HOST/],
    [{ MILLRACE_STREAMS: 'redis' }, /neither REDIS_URL nor REDIS_HOST is set/],
    [{ REDIS_HOST: 'redis://r' }, /expected host or host:port \(use REDIS_URL/],
    [{ REDIS_HOST: 'r:99999' }, /expected host or host:port/],
    [{ REDIS_HOST: ':password@r' }, /expected host or host:port/],
    [{ MILLRACE_STREAMS: 'kafka' }, /expected one of redis, sqlite/],
  ])('%o is refused with the reason', (env, message) => {
    expect(() => choose(env)).toThrow(message)
  })

  test('the location that is printed has no password (M9)', () => {
    const choice = choose({ REDIS_URL: 'rediss://user:hunter2@r:1/3' })
    expect(choice.location).toBe('rediss://***@r:1/3')
  })
})

test('a Redis that evicts is taken only when the configuration says so (S3)', () => {
  const REDIS_URL = 'redis://a:6379'
  expect(choose({ REDIS_URL })).not.toHaveProperty('allowEviction')
  expect(choose({ REDIS_URL, REDIS_ALLOW_EVICTION: 'yes' })).toMatchObject({ kind: 'redis', allowEviction: true })
})
