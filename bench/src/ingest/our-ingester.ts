import { createGuardedFetch, DidResolver, HostLimits } from '@millrace/identity'
import { FirehoseIngester, SignaturePool, type Verify } from '@millrace/ingest'
import { openRedisStreams } from '@millrace/redis-streams'
import { sleep, streamEventCodec } from '@millrace/stream-protocol'
import { stderrLogger } from '../stderr-logger.ts'
import { measureIngest, type IngestSystem } from './measurement.ts'
import { readRecordedNetwork } from './recorded-frames.ts'

/**
 * Our ingester with its defaults, but for what it verifies, and in how many threads. Whose keys it needs it has asked
 * before the clock starts, as one that has been running for a while.
 */
export function ingestWithMillrace(verify: Verify, threads = 0): IngestSystem {
  return async ({ url, redisUrl, stream, lastSeq }) => {
    await using store = await openRedisStreams({ url: redisUrl, logger: stderrLogger })
    const sink = store.writer({ stream, codec: streamEventCodec, highWaterMark: Number.MAX_SAFE_INTEGER })
    await using pool = new SignaturePool({ threads })
    const signatures = verify === 'signatures' ? { resolver: await openResolver(url), pool } : undefined
    const shared = { sink, cursors: store.cursors, verify, signatures, logger: stderrLogger }
    const ingester = new FirehoseIngester({ ...shared, host: url })
    const stop = new AbortController()
    let running = Promise.resolve()
    const cost = await measureIngest(async () => {
      running = ingester.run(stop.signal)
      await Promise.race([running, waitForFrame(ingester, lastSeq)])
    })
    stop.abort()
    await running
    return cost
  }
}

async function openResolver(plcUrl: string): Promise<DidResolver> {
  const fetch = createGuardedFetch({ allowPrivateHosts: true })
  const limits = new HostLimits({ perSecond: 10_000, concurrency: 1_000 })
  const resolver = new DidResolver({ fetch, plcUrl, limits, allowPrivateHosts: true, minIntervalMs: 0 })
  const { dids } = await readRecordedNetwork()
  await Promise.all(dids.keys().map((did) => resolver.resolve(did)))
  return resolver
}

async function waitForFrame(ingester: FirehoseIngester, seq: number): Promise<void> {
  while ((ingester.status().lastSeq ?? 0) < seq) await sleep(2)
}
