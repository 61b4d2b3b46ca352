import { groups, streamEventCodec, type StreamEvent, type StreamStore } from '@millrace/stream-protocol'

const CHUNK = 500

/** Appends events as a backlog, however long: nobody waits at a high water mark. */
export async function fillStream(store: StreamStore, stream: string, events: Iterable<StreamEvent>): Promise<void> {
  await store.ensureGroup(stream, groups.firehose)
  const writer = store.writer({ stream, codec: streamEventCodec, highWaterMark: Number.MAX_SAFE_INTEGER })
  let chunk: StreamEvent[] = []
  for (const event of events) {
    chunk.push(event)
    if (chunk.length < CHUNK) continue
    await writer.append(chunk)
    chunk = []
  }
  await writer.append(chunk)
}
