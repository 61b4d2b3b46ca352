import path from 'node:path'
import { readRecording } from '@millrace/dev-network'
import { decodeFrame, frameToEvents } from '@millrace/ingest'
import { InvalidEventError, readStreamEvent, type JsonObject } from '@millrace/stream-protocol'
import { mutate } from '../mutate.ts'
import type { FuzzTarget, Verdict } from '../target.ts'

const { frames } = await readRecording(path.join(import.meta.dirname, '../../../../fixtures/network-basic'))

/**
 * Frames of a firehose, recorded and changed. What is no frame is an error by its name; what is one has a result, and its
 * events are such that readers of the stream take them.
 */
export const frameTarget: FuzzTarget = {
  name: 'frame',
  make(random) {
    const frame = random.pick(frames)!
    return random.chance(0.2) ? Buffer.from(frame) : mutate(frame, random)
  },
  run(input): Verdict {
    let events
    try {
      events = frameToEvents(decodeFrame(input), { host: 'relay.example' }).events
    } catch (error) {
      if (error instanceof InvalidEventError) return 'refused'
      throw error
    }
    for (const event of events) readStreamEvent(JSON.parse(JSON.stringify(event)) as JsonObject)
    return events.length > 0 ? 'accepted' : 'refused'
  },
}
