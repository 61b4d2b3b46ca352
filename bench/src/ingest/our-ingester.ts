import { readDidDocument, type DidResolution, type DidResolver } from '@millrace/identity'
import { FirehoseIngester, SignaturePool, type Verify } from '@millrace/ingest'
import { openRedisStreams } from '@millrace/redis-streams'
import { sleep, streamEventCodec } from '@millrace/stream-protocol'
import { stderrLogger } from '../stderr-logger.ts'
import { measureIngest, type IngestSystem } from './measurement.ts'
import { readRecordedNetwork } from './recorded-frames.ts'

/**
 * Our ingester with its defaults, but for what it verifies, and in how many threads. Who asks for a key has it at once,
 * as one that has been running for a while: the recording says something of an identity every twenty frames, which would
 * measure a directory.
 */
export function ingestWithMillrace(verify: Verify, threads = 0): IngestSystem {
  return async ({ url, redisUrl, stream, lastSeq }) => {
    await using store = await openRedisStreams({ url: redisUrl, logger: stderrLogger })
    const sink = store.writer({ stream, codec: streamEventCodec, highWaterMark: Number.MAX_SAFE_INTEGER })
    await using pool = new SignaturePool({ threads })
    const signatures = verify === 'signatures' ? { resolver: await recordedResolver(), pool } : undefined
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

async function recordedResolver(): Promise<Pick<DidResolver, 'resolve' | 'expire'>> {
  const { dids } = await readRecordedNetwork()
  const known = new Map([...dids].map(([did, { docMultikey }]) => [did, readDidDocument(docMultikey, did)]))
  const resolve = async (did: string): Promise<DidResolution> => {
    const identity = known.get(did)
    return identity ? { kind: 'found', identity } : { kind: 'absent', tombstoned: false }
  }
  return { resolve, expire: () => undefined }
}

async function waitForFrame(ingester: FirehoseIngester, seq: number): Promise<void> {
  while ((ingester.status().lastSeq ?? 0) < seq) await sleep(2)
}
