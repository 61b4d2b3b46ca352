import { storableText } from '@millrace/database'
import type { LabelEvent } from '@millrace/stream-protocol'
import { instant, parseTime } from '../values.ts'
import { compareMade, joinNegations, unknownPlace, type Negation, type Place, type Positive } from './label-state.ts'

/** What a batch says about labels, each thing once. */
export interface ReducedLabels {
  /** The newest of each row. */
  made: Positive[]
  /** One for each label and sequence. */
  negations: Negation[]
  /** Versions that are spoken of by negations alone: they have a row as well. */
  negatedCids: { src: string; uri: string; val: string; cid: string }[]
  /** Positions of events that no index can hold (hazard X21). */
  tooLong: number[]
}

/** Bytes of one column, and of all of a key, that fit into an index whatever they are. */
const MAX_COLUMN = 2_000
const MAX_KEY = 2_600

/** Brings the events of a batch to what they say, in whatever order they stand (hazards L2, L11). A function of values. */
export function reduceLabels(events: readonly LabelEvent[]): ReducedLabels {
  const made = new Map<string, Positive>()
  const negations = new Map<string, Negation>()
  const negatedCids = new Map<string, ReducedLabels['negatedCids'][number]>()
  const tooLong: number[] = []
  for (const [index, event] of events.entries()) {
    const { src, cts, exp, neg } = event.label
    const [uri, val, cid] = [event.label.uri, event.label.val, event.label.cid ?? ''].map(storableText) as [
      string,
      string,
      string,
    ]
    const place = placeOf(event)
    if (!fits([src, uri, val, cid, place.host])) {
      tooLong.push(index)
      continue
    }
    if (neg) {
      const negation = { src, uri, val, ...place, cts: instant(cts) }
      const key = JSON.stringify([src, uri, val, place.host, place.epoch])
      const before = negations.get(key)
      negations.set(key, before ? joinNegations(before, negation) : negation)
      negatedCids.set(JSON.stringify([src, uri, val, cid]), { src, uri, val, cid })
    } else {
      // A time that cannot be read would fail every query of its subject: no end is better than that.
      const positive = { src, uri, val, cid, ...place, cts: instant(cts), exp: parseTime(exp) ?? null }
      const key = JSON.stringify([src, uri, val, cid])
      const before = made.get(key)
      if (!before || compareMade(before, positive) < 0) made.set(key, positive)
    }
  }
  return {
    made: [...made.values()],
    negations: [...negations.values()],
    negatedCids: [...negatedCids.values()],
    tooLong,
  }
}

function placeOf({ host = '', epoch = 0, seq }: LabelEvent): Place {
  return seq === undefined ? unknownPlace : { host: storableText(host), epoch: Math.max(0, epoch), seq }
}

function fits(texts: readonly string[]): boolean {
  const sizes = texts.map((text) => Buffer.byteLength(text))
  return sizes.every((size) => size <= MAX_COLUMN) && sizes.reduce((sum, size) => sum + size) <= MAX_KEY
}
