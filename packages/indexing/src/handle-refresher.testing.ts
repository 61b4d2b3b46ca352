import { noMeter, type Counter, type Meter } from '@millrace/stream-protocol'
import { eventually } from '@millrace/testing'
import type { ExampleIndexing } from './example-plugins.testing.ts'
import { HandleRefresher, type HandleRefresherOptions, type ResolveHandle } from './handle-refresher.ts'
import { EVENT_TIME } from './testing/index.ts'

/** Runs a refresher over these requests until `holds`, and stops it. Events of one account may follow at once. */
export async function refresh(
  { database }: Pick<ExampleIndexing, 'database'>,
  resolve: ResolveHandle,
  holds: () => Promise<void>,
  options: Partial<HandleRefresherOptions> = {},
): Promise<void> {
  const stop = new AbortController()
  const refresher = new HandleRefresher({
    database,
    resolve,
    idleMs: 10,
    concurrency: 10,
    quiet: { minMs: 1, maxMs: 1 },
    ...options,
  })
  const running = refresher.run(stop.signal)
  try {
    await eventually(holds)
  } finally {
    stop.abort()
    await running
  }
}

export async function hear({ service }: ExampleIndexing, ...dids: string[]): Promise<void> {
  await service.index(dids.map((did) => ({ type: 'identity', seq: 1, time: EVENT_TIME, did }) as const))
}

export const handles = async ({ query }: ExampleIndexing) =>
  Object.fromEntries(
    (await query<{ did: string; handle: string | null }>('select did, handle from actor')).map(({ did, handle }) => [
      did,
      handle,
    ]),
  )
export const pending = ({ database }: ExampleIndexing) =>
  new HandleRefresher({ database, resolve: async () => null }).pending()

/** What is noted about each account that is looked up. Clocks are set back at times: what is due now is due a moment later, too. */
export const requests = ({ query }: Pick<ExampleIndexing, 'query'>) =>
  query<{ did: string; attempts: number; forced: boolean; due: boolean; wait: number }>(
    `select did, attempts, forced, next_at < now() + interval '1 second' as due, extract(epoch from next_at - now())::float8 as wait from millrace_identity order by did`,
  )

/** A meter that keeps how many look-ups ended in each way. */
export function resultMeter(): Meter & { results: Record<string, number> } {
  const results: Record<string, number> = {}
  const counter: Counter = {
    add: (value, { result = '' } = {}) => void (results[result] = (results[result] ?? 0) + value),
  }
  return { ...noMeter, counter: () => counter, results }
}

/** A directory that says whose a handle is now. */
export const directory =
  (known: { [did: string]: string | null }): ResolveHandle =>
  async (did) =>
    known[did] ?? null
