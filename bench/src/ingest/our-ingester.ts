import { FirehoseIngester, type Verify } from '@millrace/ingest'
import { openRedisStreams } from '@millrace/redis-streams'
import { sleep, streamEventCodec } from '@millrace/stream-protocol'
import { stderrLogger } from '../stderr-logger.ts'
import { measureIngest, type IngestSystem } from './measurement.ts'

/** Our ingester with its defaults, but for what it verifies. */
export function ingestWithMillrace(verify: Verify): IngestSystem {
  return async ({ url, redisUrl, stream, lastSeq }) => {
    await using store = await openRedisStreams({ url: redisUrl, logger: stderrLogger })
    const sink = store.writer({ stream, codec: streamEventCodec, highWaterMark: Number.MAX_SAFE_INTEGER })
    const ingester = new FirehoseIngester({ host: url, sink, cursors: store.cursors, verify, logger: stderrLogger })
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

async function waitForFrame(ingester: FirehoseIngester, seq: number): Promise<void> {
  while ((ingester.status().lastSeq ?? 0) < seq) await sleep(2)
}
