import { sleep } from '@millrace/stream-protocol'
import type { FaultProxy } from '@millrace/testing/fault-proxy'
import type { NemesisCase } from '../nemesis-case.ts'
import type { Stage } from '../stage.ts'

/** All connections to a server are reset, ten times. */
export function connectionsCut(
  server: string,
  summary: string,
  hazards: string,
  proxyOf: (stage: Stage) => FaultProxy,
): NemesisCase {
  return {
    name: `${server}-cut`,
    summary,
    hazards,
    async inject(stage) {
      const proxy = proxyOf(stage)
      const before = proxy.faults
      for (let cut = 0; cut < 10; cut++) {
        proxy.cut()
        await sleep(200)
      }
      return proxy.faults - before
    },
  }
}

/** What is asked of a server reaches it, three times for a while, and its answers get lost. */
export function answersLost(
  server: string,
  summary: string,
  hazards: string,
  proxyOf: (stage: Stage) => FaultProxy,
): NemesisCase {
  return {
    name: `${server}-answers-lost`,
    summary,
    hazards,
    async inject(stage) {
      const proxy = proxyOf(stage)
      const before = proxy.faults
      for (let round = 0; round < 3; round++) {
        proxy.swallowsAnswers = true
        await sleep(400)
        proxy.heal()
        await sleep(600)
      }
      return proxy.faults - before
    },
  }
}
