import { sleep } from '@millrace/stream-protocol'
import type { FaultProxy } from '@millrace/testing/fault-proxy'
import type { NemesisCase } from '../nemesis-case.ts'
import type { Stage } from '../stage.ts'

type ProxyOf = (stage: Stage) => FaultProxy

/** What a proxy does to connections happens as often as it says. */
function atProxy(
  about: Pick<NemesisCase, 'name' | 'summary' | 'hazards'>,
  proxyOf: ProxyOf,
  disturb: (proxy: FaultProxy) => Promise<void>,
): NemesisCase {
  return {
    ...about,
    async inject(stage) {
      const proxy = proxyOf(stage)
      const before = proxy.faults
      await disturb(proxy)
      return proxy.faults - before
    },
  }
}

/** All connections to a server are reset, ten times. */
export function connectionsCut(server: string, summary: string, hazards: string, proxyOf: ProxyOf): NemesisCase {
  return atProxy({ name: `${server}-cut`, summary, hazards }, proxyOf, async (proxy) => {
    for (let cut = 0; cut < 10; cut++) {
      proxy.cut()
      await sleep(200)
    }
  })
}

/** What is asked of a server reaches it, three times for a while, and its answers get lost. */
export function answersLost(server: string, summary: string, hazards: string, proxyOf: ProxyOf): NemesisCase {
  return atProxy({ name: `${server}-answers-lost`, summary, hazards }, proxyOf, async (proxy) => {
    for (let round = 0; round < 3; round++) {
      proxy.swallowsAnswers = true
      await sleep(400)
      proxy.heal()
      await sleep(600)
    }
  })
}

/** A server is some milliseconds away in either direction, for three seconds. */
export function slow(server: string, title: string, ms: number, hazards: string, proxyOf: ProxyOf): NemesisCase {
  return {
    name: `${server}-slow`,
    summary: `${title} is ${ms} ms away in either direction`,
    hazards,
    async inject(stage) {
      const proxy = proxyOf(stage)
      proxy.delayMs = ms
      await sleep(3_000)
      proxy.delayMs = 0
      return 1
    },
  }
}
