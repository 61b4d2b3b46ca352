import { expect, test } from 'vitest'
import { valuesProblems } from './chart.ts'
import { outcomeOf } from './check.ts'
import { plainChecks } from './plain-checks.ts'
import { environmentProblems } from './variables.ts'

test.each(await plainChecks())('$files.0 $what', async (check) => {
  expect(await outcomeOf(check)).toEqual({ problems: [] })
})

test('a variable that no process reads, and one that does not hold, are problems', () => {
  const env = { INDEXER_CONSUMER: 'one', DB_POSTGRES_URL: 'mysql://db', INDEXER_BATCHSIZE: '1', NODE_ENV: 'production' }
  expect(environmentProblems('indexer', env)).toEqual([
    'indexer: no process reads INDEXER_BATCHSIZE',
    expect.stringContaining('indexer: DB_POSTGRES_URL is '),
  ])
})

test('values of the chart are refused that name no variable, or one that is secret', () => {
  const role = { env: {} }
  const values = { image: {}, env: {}, ingester: role, backfiller: role, indexer: role, admin: role }
  expect(valuesProblems(values)).toEqual([])
  expect(valuesProblems({ ...values, env: { LOG_LEVLE: 'info' } })).toEqual([expect.stringContaining('(LOG_LEVLE)')])
  expect(valuesProblems({ ...values, env: { DB_POSTGRES_URL: 'postgres://db/appview' } })).toEqual([
    expect.stringContaining('(DB_POSTGRES_URL)'),
  ])
})
