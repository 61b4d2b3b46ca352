import type { LabelEvent } from '@millrace/stream-protocol'
import { boolean, constantFrom, option, record } from 'fast-check'
import type { LabelRow } from './plan-labels.ts'

/** Times that meet in every way: equal in another form, apart by microseconds, in the future, and none at all. */
const times = [
  '2026-01-15T12:00:01.000Z',
  '2026-01-15T12:00:01Z',
  '2026-01-15T13:00:01.0004+01:00',
  '2026-01-15T12:00:02.5Z',
  '2099-01-01T00:00:00Z',
  'whenever',
] as const
/** The same in microseconds, for the oracle. */
const micros = new Map(
  times.map((time) => [
    time as string,
    (Number.isNaN(Date.parse(time)) ? 0 : Date.parse(time)) * 1_000 + (time.includes('.0004') ? 400 : 0),
  ]),
)

/** One label about one of very few things, so that they meet. */
export const saidLabels = record({
  label: record({
    src: constantFrom('did:plc:one', 'did:plc:two'),
    uri: constantFrom('did:plc:a'),
    val: constantFrom('spam', 'spam', 'rude'),
    cid: option(constantFrom('c1', 'c2'), { nil: undefined }),
    neg: option(boolean(), { nil: undefined }),
    cts: constantFrom(...times),
    exp: option(constantFrom('2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'), { nil: undefined }),
  }),
  place: option(
    record({
      seq: constantFrom(1, 2, 3, 4, 5),
      host: constantFrom('a.test', 'a.test', 'b.test'),
      epoch: constantFrom(0, 0, 1),
    }),
    { nil: undefined },
  ),
}).map(({ label, place }): LabelEvent => JSON.parse(JSON.stringify({ type: 'label', label, ...place })) as LabelEvent)

/**
 * The rows that these labels come to, written down as plainly as can be: each label against each negation of all that
 * were ever said, in no order. To be compared with what batches come to.
 */
export function readersRows(events: readonly LabelEvent[]): LabelRow[] {
  const rows = new Map<string, LabelRow>()
  for (const { label } of events) {
    const { src, uri, val, cid = '' } = label
    const ofLabel = events.filter(
      (other) => other.label.src === src && other.label.uri === uri && other.label.val === val,
    )
    const negations = ofLabel.filter((other) => other.label.neg === true)
    const made = ofLabel.filter((other) => other.label.neg !== true && (other.label.cid ?? '') === cid)
    const newest = made.find((one) => made.every((other) => one === other || !isNewer(other, one)))
    const holds = newest && !negations.some((negation) => takesBack(negation, newest))
    const times = negations.map((negation) => timeOf(negation))
    rows.set(JSON.stringify([src, uri, val, cid]), {
      src,
      uri,
      val,
      cid,
      neg: !holds,
      cts: textOf(holds ? timeOf(newest) : Math.max(...times)),
      exp: holds ? (newest.label.exp ?? null) : null,
    })
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

const timeOf = ({ label }: LabelEvent): number => micros.get(label.cts)!
const textOf = (time: number): string => new Date(Math.floor(time / 1_000)).toISOString()

/** Time, then number; where neither says, an order that is fixed. */
function isNewer(a: LabelEvent, b: LabelEvent): boolean {
  const rank = (event: LabelEvent) => [
    timeOf(event),
    event.seq === undefined ? -1 : (event.epoch ?? 0),
    event.host ?? '',
    event.seq ?? 0,
    event.label.exp ?? '',
  ]
  const [ours, theirs] = [rank(a), rank(b)]
  const index = ours.findIndex((value, place) => value !== theirs[place])
  return index !== -1 && ours[index]! > theirs[index]!
}

function takesBack(negation: LabelEvent, made: LabelEvent): boolean {
  const [later, same] = [timeOf(negation) > timeOf(made), timeOf(negation) === timeOf(made)]
  const isComparable = negation.seq !== undefined && made.seq !== undefined && negation.host === made.host
  if (!isComparable) return later || same
  if (negation.epoch === made.epoch) return later || negation.seq! > made.seq!
  return later || (same && negation.epoch! > made.epoch!)
}
