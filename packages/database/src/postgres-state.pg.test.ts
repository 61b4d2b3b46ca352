import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { migrate } from './migrate.ts'
import { openDatabase } from './open-database.ts'
import { PostgresState } from './postgres-state.ts'

const increment = (value: number | undefined): [number, number] => [(value ?? 0) + 1, value ?? 0]

pgTest('is changed by one after the other, whoever they are', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  const states = [0, 1].map(() => new PostgresState<number>({ database, scope: 'test' }))
  const before = await Promise.all(Array.from({ length: 20 }, (_, n) => states[n % 2]!.change('a', increment)))
  expect(before.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n))
})

pgTest('tells the time of the database, and keeps scopes and names apart', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  const state = new PostgresState<number>({ database, scope: 'test' })
  await state.change('a', increment)
  expect(await state.change('b', increment)).toBe(0)
  expect(await new PostgresState<number>({ database, scope: 'other' }).change('a', increment)).toBe(0)
  expect(await state.change('a', (value) => [value!, value])).toBe(1)
  expect(await state.recent(60_000)).toEqual([1, 1])
  const now = await state.change('a', (value, at) => [value!, at])
  expect(Math.abs(now - Date.now())).toBeLessThan(5_000)
})
