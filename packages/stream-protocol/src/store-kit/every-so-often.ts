import { sleep } from '../time.ts'

/** Does something again and again beside other work, one at a time, until it is disposed of. */
export function everySoOften(work: () => Promise<void>, ms: number, onError: (error: unknown) => void): Disposable {
  const over = new AbortController()
  const go = async (): Promise<void> => {
    for (await sleep(ms, over.signal); !over.signal.aborted; await sleep(ms, over.signal)) await work().catch(onError)
  }
  void go()
  return { [Symbol.dispose]: () => over.abort() }
}
