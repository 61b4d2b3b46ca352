import { readDatabase } from '@millrace/oracle'
import type { Pool } from 'pg'
import { askRecordedCalls } from './answers/ask.ts'
import { judgeAnswers, type MethodVerdict } from './answers/judge-answers.ts'
import type { Recorded } from './answers/recorded-calls.ts'
import { AppView, type AppViewOptions } from './appview/appview.ts'
import { compareDatabases, type TableVerdict } from './compare/compare-databases.ts'
import { RowIndex } from './compare/deviations.ts'
import { readExpected } from './compare/read-expected.ts'
import { recordingFolder } from './pipeline/recording.ts'

export interface ReferenceComparison {
  tables: TableVerdict[]
  methods: MethodVerdict[]
  /** Migrations that the AppView applied when it started. */
  migrations: number
  /** Rows and answers that differ, and nothing says why. */
  unexplained: { rows: number; answers: number }
}

export interface ReferenceComparisonOptions extends AppViewOptions {
  pool: Pool
  schema: string
  recorded: Recorded
}

/** Compares rows with those that the reference made, then starts its AppView on them and compares the answers. */
export async function compareWithReference({
  pool,
  recorded,
  ...appView
}: ReferenceComparisonOptions): Promise<ReferenceComparison> {
  const rows = {
    expected: await readExpected(recordingFolder, 'db-replay'),
    actual: await readDatabase(pool, appView.schema),
  }
  const tables = compareDatabases(rows)
  await using server = await AppView.start(appView)
  const answers = await askRecordedCalls(server.url, recorded)
  const methods = judgeAnswers({ recorded, answers, tables, rows: new RowIndex(rows) })
  return {
    tables,
    methods,
    migrations: server.migrations,
    unexplained: {
      rows: tables.reduce((sum, { unexplained }) => sum + unexplained.length, 0),
      answers: methods.reduce((sum, { different }) => sum + different.length, 0),
    },
  }
}
