import { migrate, openDatabase, PostgresLedger } from '@millrace/database'
import type { Gauge, Labels, Meter } from '@millrace/stream-protocol'
import { noMeter } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import type { DoctorSources } from '../doctor/gather-facts.ts'
import { ProblemWatch } from './problem-watch.ts'

/** A meter that remembers what its gauges were set to. */
function watchedMeter() {
  const values = new Map<string, number>()
  const gauge = (name: string): Gauge => ({
    set: (value: number, labels?: Labels) => void values.set(labels?.['code'] ?? name, value),
  })
  return { meter: { ...noMeter, gauge } satisfies Meter, values }
}

pgTest(
  'what was wrong is not over because the database that knows is away, and has been so since it began (O6)',
  async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    const sources: DoctorSources = { store: { why: 'it is not there' }, database, declared: [] }
    const { meter, values } = watchedMeter()
    const watch = new ProblemWatch({ sources, meter })
    expect([values.get('dead-letters'), values.get('database-away')]).toEqual([0, 0])

    const letter = { stream: 's', entryId: '1-0', reason: 'bad-json', error: 'no', payload: '{' }
    await new PostgresLedger({ database }).deadLetter([letter])
    const codes = async () => (await watch.look()).problems.filter(({ severity }) => severity !== 'advice')
    const first = await codes()
    expect(first).toMatchObject([
      { code: 'store-away', severity: 'page', message: 'it is not there' },
      { code: 'dead-letters', severity: 'ticket', message: '1 dead letter: bad-json', command: 'millrace dlq' },
    ])
    sources.database = { why: 'it is away' }
    const second = await codes()
    expect(second.map(({ code }) => code)).toEqual(['store-away', 'database-away', 'dead-letters'])
    expect(second.find(({ code }) => code === 'dead-letters')?.since).toBe(first[1]!.since)
    expect([values.get('dead-letters'), values.get('database-away')]).toEqual([1, 1])

    sources.database = database
    await database.pool.query('delete from millrace_dead_letter')
    expect((await codes()).map(({ code }) => code)).toEqual(['store-away'])
    expect([values.get('dead-letters'), values.get('database-away')]).toEqual([0, 0])
    watch.recall([{ code: 'store-away', subject: '', since: 5 }])
    expect((await codes())[0]!.since).toBe(5)
  },
)
