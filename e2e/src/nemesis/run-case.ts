import type { Anomaly } from '@millrace/oracle'
import type { NemesisCase } from './nemesis-case.ts'
import type { Stage } from './stage.ts'
import { untilQuiet } from './until-quiet.ts'

export interface CaseResult {
  name: string
  /** How often the fault really happened. */
  injected: number
  lost: number
  resurrected: number
  miscounted: number
  /** Everything else that is not as it should be. */
  other: number
  /** From the end of the fault until nothing was left to do, in milliseconds; null when it did not come to that. */
  quietMs: number | null
  anomalies: Anomaly[]
  /** Why it failed, where that is not in the rows. */
  error?: string
  /** The first said nothing about the rows. */
  isSecondTry?: boolean
}

/** Longer than a fetch may stand still before its repo is fetched again. */
const QUIET_WITHIN_MS = 240_000

/** Injects one fault while the network writes, ends it, waits for quiet, and compares rows with the final repos. */
export async function runCase(stage: Stage, nemesis: NemesisCase): Promise<CaseResult> {
  let injected = 0
  try {
    await stage.passDay()
    const over = new AbortController()
    const traffic = stage.traffic(over.signal)
    try {
      injected = await nemesis.inject(stage)
    } finally {
      over.abort()
      await traffic
      await stage.heal()
    }
    // So that the last frame is one that can be read.
    await stage.network.write(4)
    const quietMs = await untilQuiet(stage, QUIET_WITHIN_MS)
    return resultOf(nemesis.name, injected, quietMs, await stage.compare())
  } catch (error) {
    return { ...resultOf(nemesis.name, injected, null, []), error: (error as Error).message }
  }
}

function resultOf(name: string, injected: number, quietMs: number | null, anomalies: Anomaly[]): CaseResult {
  const count = (...kinds: Anomaly['kind'][]): number => anomalies.filter(({ kind }) => kinds.includes(kind)).length
  return {
    name,
    injected,
    lost: count('lost', 'stale'),
    resurrected: count('zombie'),
    miscounted: count('miscount'),
    other: count('orphan', 'misderived', 'double-notified'),
    quietMs,
    anomalies,
  }
}

/** Whether all is as it must be: and the fault has happened, or it proves nothing. */
export function isPassed({ injected, anomalies, error }: CaseResult): boolean {
  return injected > 0 && anomalies.length === 0 && error === undefined
}

/** Whether it proves nothing: the fault was not brought about, or the rows were never compared, as on a busy machine. */
export function isInconclusive(result: CaseResult): boolean {
  return !isPassed(result) && result.anomalies.length === 0
}
