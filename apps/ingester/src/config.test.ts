import { problemsOf, readConfig } from '@millrace/runtime'
import { expect, test } from 'vitest'
import { ingesterConfig, selectionProblem } from './config.ts'

const problemsIn = (env: Record<string, string>) => problemsOf(() => readConfig(ingesterConfig, env))

test('only the hosts are needed', () => {
  expect(readConfig(ingesterConfig, { INGESTER_HOSTS: 'https://relay.example,http://127.0.0.1:2470' })).toMatchObject({
    INGESTER_HOSTS: ['https://relay.example', 'http://127.0.0.1:2470'],
    INGESTER_LABELER_HOSTS: undefined,
    INGESTER_FIREHOSE_STREAM: 'firehose_live',
    INGESTER_LABEL_STREAM: 'label_live',
    INGESTER_REPO_STREAM: 'repo_backfill',
    INGESTER_FIREHOSE_STREAM_HIGH_WATER_MARK: 100_000,
    INGESTER_LABEL_STREAM_HIGH_WATER_MARK: 100_000,
    INGESTER_REPO_STREAM_HIGH_WATER_MARK: 100_000,
    INGESTER_VERIFY: 'integrity',
    INGESTER_VERIFY_THREADS: 1,
    METRICS_PORT: 4000,
  })
})

test('collections are names, or all below a name', () => {
  const env = { INGESTER_HOSTS: 'https://relay.example' }
  expect(String(readConfig(ingesterConfig, env).INGESTER_COLLECTIONS)).toBe('*')
  const some = { ...env, INGESTER_COLLECTIONS: 'xyz.statusphere.status, app.bsky.*' }
  expect(String(readConfig(ingesterConfig, some).INGESTER_COLLECTIONS)).toBe('app.bsky.*,xyz.statusphere.status')
  expect(problemsIn({ ...env, INGESTER_COLLECTIONS: 'app.bsky.*,' })).toEqual([
    expect.stringMatching(/^INGESTER_COLLECTIONS is "app.bsky.\*,", expected a comma-separated list of collections/),
  ])
})

test('accounts are all, some, or those of a file', () => {
  const reposOf = (INGESTER_REPOS?: string) =>
    readConfig(ingesterConfig, { INGESTER_HOSTS: 'https://relay.example', ...(INGESTER_REPOS && { INGESTER_REPOS }) })
      .INGESTER_REPOS
  expect(reposOf()).toBe('all')
  expect(reposOf('by-collection')).toBe('by-collection')
  expect(reposOf('did:plc:a, did:web:b.test')).toEqual({ dids: ['did:plc:a', 'did:web:b.test'] })
  expect(reposOf('/etc/millrace/dids.csv')).toEqual({ file: '/etc/millrace/dids.csv' })
  expect(problemsIn({ INGESTER_HOSTS: 'https://relay.example', INGESTER_REPOS: 'did:plc:a,alice.test' })).toEqual([
    expect.stringMatching(/^INGESTER_REPOS is "did:plc:a,alice.test", expected DIDs, separated by commas/),
  ])
})

test('hosts list by whole names of collections alone', () => {
  const env = { INGESTER_HOSTS: 'https://relay.example', INGESTER_REPOS: 'by-collection' }
  const problemOf = (more: Record<string, string>) => selectionProblem(readConfig(ingesterConfig, { ...env, ...more }))
  expect(problemOf({})).toContain('INGESTER_COLLECTIONS has *: name the collections one by one')
  expect(problemOf({ INGESTER_COLLECTIONS: 'app.bsky.*,xyz.statusphere.status' })).toContain('has app.bsky.*:')
  expect(problemOf({ INGESTER_COLLECTIONS: 'xyz.statusphere.status' })).toBeUndefined()
  expect(problemOf({ INGESTER_COLLECTIONS: 'app.bsky.*', INGESTER_REPOS: '*' })).toBeUndefined()
})

test('every bad variable is named', () => {
  expect(problemsIn({ INGESTER_REPO_STREAM_HIGH_WATER_MARK: '1e3', INGESTER_VERIFY: 'yes' })).toEqual([
    expect.stringMatching(/^INGESTER_HOSTS is not set: /),
    'INGESTER_REPO_STREAM_HIGH_WATER_MARK is "1e3", expected a whole number from 1',
    'INGESTER_VERIFY is "yes", expected one of integrity, signatures, off',
  ])
})
