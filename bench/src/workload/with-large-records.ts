import type { CreateEvent, RecordEvent } from '@millrace/stream-protocol'
import { cidOf } from './workload.ts'

const COLLECTION = 'com.whtwnd.blog.entry'
const EVERY = 500
const KILOBYTES = [20, 60, 150, 400, 900]
/** Somebody brings a whole blog. */
const BLOG = 40

/**
 * The same events, and after every five hundredth of them an article of 20 to 900 KB by the same account. In the
 * middle there are forty of the largest in a row.
 */
export function* withLargeRecords(events: readonly RecordEvent[]): Generator<RecordEvent> {
  const middle = Math.floor(events.length / 2)
  let articles = 0
  for (const [index, event] of events.entries()) {
    yield event
    if (index === middle) for (let i = 0; i < BLOG; i++) yield article(event, `${event.rkey}-${i}`, KILOBYTES.at(-1)!)
    if (index % EVERY === EVERY - 1) yield article(event, event.rkey, KILOBYTES[articles++ % KILOBYTES.length]!)
  }
}

function article(beside: RecordEvent, rkey: string, kilobytes: number): CreateEvent {
  const { seq, time, did, commit, rev } = beside
  const sentence = `${rkey} says that the sky is a stream of small blue things. `
  const record = {
    $type: COLLECTION,
    title: 'The sky',
    content: sentence.repeat(Math.ceil((kilobytes * 1024) / sentence.length)),
    createdAt: time,
  }
  return { type: 'create', seq, time, did, commit, rev, collection: COLLECTION, rkey, cid: cidOf(record), record }
}
