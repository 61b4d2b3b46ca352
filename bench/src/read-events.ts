import { readFile } from 'node:fs/promises'
import type { RecordEvent } from '@millrace/stream-protocol'

/** The lines of an events file, unparsed: parsing them is part of what is measured. */
export async function readEventLines(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).trimEnd().split('\n')
}

/** The workload has no other events, and its writer checked them. */
export function parseRecordEvent(line: string): RecordEvent {
  return JSON.parse(line) as RecordEvent
}
