import { readFile } from 'node:fs/promises'
import type { RecordEvent, RepoEvent } from '@millrace/stream-protocol'

/** What workloads are made of. */
export type WorkloadEvent = RecordEvent | RepoEvent

/** The lines of an events file, unparsed: parsing them is part of what is measured. */
export async function readEventLines(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).trimEnd().split('\n')
}

/** A workload has no other events, and its writer checked them. */
export function parseEvent(line: string): WorkloadEvent {
  return JSON.parse(line) as WorkloadEvent
}

/** How many lines are about a record. The others close repos. */
export function countRecords(lines: readonly string[]): number {
  return lines.filter((line) => !line.startsWith('{"type":"repo"')).length
}
