import { cursorKey, streams } from '@millrace/stream-protocol'
import { leftInTables, untilNothingIsLeft } from '../pipeline/until-nothing-is-left.ts'
import type { Stage } from './stage.ts'

/**
 * Waits until nothing is left to do: all is read, no stream holds an entry, nothing is marked, no gap and no repair is
 * open, everything that was asked is answered.
 * @returns how long that took, in milliseconds.
 * @throws with what is left when it takes longer than `timeoutMs`.
 */
export async function untilQuiet(stage: Stage, timeoutMs: number): Promise<number> {
  const startedAt = performance.now()
  // What cannot be asked now is not at rest.
  const look = (): Promise<string[]> => whatIsLeft(stage).catch((error: unknown) => [(error as Error).message])
  const onWait = (left: readonly string[]): void => void process.stderr.write(`    ${left.join(', ')}\n`)
  await untilNothingIsLeft({ look, looks: 3, timeoutMs, onWait, apps: Object.values(stage.apps) })
  return performance.now() - startedAt
}

async function whatIsLeft(stage: Stage): Promise<string[]> {
  const { network } = stage
  for (const app of Object.values(stage.apps)) if (!app.isRunning) return [`${app.name} has ended`]
  const cursor = async (stream: string, url: string): Promise<number> =>
    Number((await stage.command('GET', cursorKey(stream, url))) ?? -1)
  const left: string[] = []
  const live = await cursor(streams.firehoseLive, network.relayUrl)
  if (live < network.head()) left.push(`the firehose is read to ${live} of ${network.head()}`)
  const labels = await cursor(streams.labelLive, network.labelerUrl)
  if (labels < network.labeler.head) left.push(`labels are read to ${labels} of ${network.labeler.head}`)
  for (const stream of Object.values(streams)) {
    const length = Number(await stage.command('XLEN', stream))
    if (length > 0) left.push(`${length} entries in ${stream}`)
  }
  return [...left, ...(await leftInTables(stage.pool, { thorough: true }))]
}
