import { readFile } from 'node:fs/promises'
import path from 'node:path'

/** What came of a check: problems, or why it cannot be made on this machine. */
export type Outcome = { problems: readonly string[] } | { notRun: string }

export interface Check {
  /** Files of `infra/` that it is about, relative to that. */
  files: readonly string[]
  what: string
  run(): Promise<Outcome> | Outcome
}

export const ROOT = path.resolve(import.meta.dirname, '../../..')
export const INFRA = path.join(ROOT, 'infra')

export const readInfra = (file: string): Promise<string> => readFile(path.join(INFRA, file), 'utf8')

/** What a check throws is its problem. */
export async function outcomeOf(check: Pick<Check, 'run'>): Promise<Outcome> {
  try {
    return await check.run()
  } catch (error) {
    return { problems: [error instanceof Error ? error.message : String(error)] }
  }
}
