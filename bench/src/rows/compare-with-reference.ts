import type { StreamEvent } from '@millrace/stream-protocol'
import { exactly, type Result } from '@millrace/testing/results'
import type { Servers } from '../servers.ts'
import { runSystem } from '../systems/run-system.ts'
import { comparedTables, compareTable } from './compare-rows.ts'
import { Differences } from './differences.ts'
import { WorkloadFacts } from './workload-facts.ts'

export interface CompareOptions {
  /** What the results are about, such as `live`. */
  name: string
  servers: Servers
  stream: string
  /** What our indexer reads. */
  ours: readonly StreamEvent[]
  /** The same records in the order in which they were made: the reference's rows depend on it. */
  reference: readonly StreamEvent[]
  onProgress: (text: string) => void
}

/** Whether our rows are those of the reference, which takes one event after the other. */
export async function compareWithReference(options: CompareOptions): Promise<Result[]> {
  const { name, servers, stream, ours, reference, onProgress } = options
  onProgress(`${name}: comparing the rows of ${reference.length.toLocaleString('en')} events`)
  const urls = {
    reference: await servers.createDatabase('expected'),
    ours: await servers.createDatabase('actual'),
  }
  // Only its rows are wanted, and one commit after the other would wait for the disk most of the time.
  await servers.query('alter database expected set synchronous_commit = off')
  await servers.emptyRedis()
  const run = { stream, redisUrl: servers.redisUrl }
  const expected = await runSystem('reference', {
    ...run,
    eventsFile: await servers.writeEvents(`${name}-expected`, reference),
    postgresUrl: urls.reference,
    inOrder: true,
  })
  const actual = await runSystem('ours', {
    ...run,
    eventsFile: await servers.writeEvents(`${name}-actual`, ours),
    postgresUrl: urls.ours,
  })
  const differences = new Differences(new WorkloadFacts(reference))
  for (const compared of comparedTables) differences.add(compared.table, await compareTable(urls, compared))
  differences.report(onProgress)
  for (const database of ['expected', 'actual']) await servers.dropDatabase(database)
  return [
    ...differences.results(name),
    exactly(0, `${name}: compared records that failed, reference`, expected.failed, 'records'),
    exactly(0, `${name}: compared records that failed, ours`, actual.failed, 'records'),
  ]
}
