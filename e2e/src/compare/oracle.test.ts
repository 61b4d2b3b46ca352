import { readRecording } from '@millrace/dev-network'
import { expectedRows, type Row, type Rows } from '@millrace/oracle'
import { expect, test } from 'vitest'
import { recordingFolder } from '../pipeline/recording.ts'
import { compareDatabases, renderVerdicts } from './compare-databases.ts'
import { readExpected } from './read-expected.ts'
import { endOfRecording } from './recorded-end.ts'

test('of a recorded network the oracle makes the rows that the reference made, but for the deviations', async () => {
  const reference = await readExpected(recordingFolder, 'db-replay')
  const seen = new Map(reference.get('record')!.map((row) => [row['uri'], row['indexedAt'] as string]))
  const forbidden = new Map(reference.get('post')!.map((row) => [row['uri'], row['violatesThreadGate']]))
  const now = Date.now()
  const oracle = expectedRows({
    ...(await endOfRecording(await readRecording(recordingFolder))),
    now,
    seenAt: (uri) => seen.get(uri) ?? new Date(now).toISOString(),
    wasForbidden: (uri) => forbidden.get(uri) === true,
  })
  const verdicts = compareDatabases({ expected: sameColumns(reference, oracle), actual: oracle })
  const differing = verdicts.filter(({ unexplained }) => unexplained.length > 0)
  expect(renderVerdicts(differing)).toBe(renderVerdicts([]))
  expect(verdicts.filter(({ expected }) => expected > 0)).toHaveLength(verdicts.length)
})

/** Of the reference's rows what the oracle speaks of: no handles, no takedowns, no labels that were taken back. */
function sameColumns(reference: Rows, oracle: Rows): Rows {
  return new Map(
    [...reference].map(([table, rows]) => {
      const columns = Object.keys(oracle.get(table)?.[0] ?? {})
      const reduced = rows
        .filter((row) => row['neg'] !== true)
        .map((row): Row => Object.fromEntries(columns.map((column) => [column, row[column]])))
      return [table, reduced]
    }),
  )
}
