import { compareText, instant, parseTime } from '../values.ts'
import {
  compareMade,
  isTakenBack,
  joinNegations,
  unknownPlace,
  type LabelKey,
  type Negation,
  type Positive,
} from './label-state.ts'
import type { ReducedLabels } from './reduce-labels.ts'

/** A row of `label`: what readers see. */
export interface LabelRow extends LabelKey {
  cid: string
  neg: boolean
  cts: string
  exp: string | null
}

/** What is stored about the labels that a batch speaks of. */
export interface StoredLabels {
  made: readonly Positive[]
  negations: readonly Negation[]
  rows: readonly LabelRow[]
}

/** What has to be written; what stays as it is, is left out. In the order of their keys. */
export interface LabelChanges {
  made: Positive[]
  negations: Negation[]
  rows: LabelRow[]
}

/** All that is known of one label. */
interface LabelState {
  made: Map<string, Positive>
  negations: Map<string, Negation>
  rows: Map<string, LabelRow | undefined>
}

/** Joins what a batch says with what is stored. A function of values: of the set of all that was said, in any order. */
export function planLabels(batch: Omit<ReducedLabels, 'tooLong'>, stored: StoredLabels): LabelChanges {
  const states = new Map<string, LabelState>()
  const stateOf = ({ src, uri, val }: LabelKey): LabelState => {
    const key = JSON.stringify([src, uri, val])
    const known = states.get(key)
    if (known) return known
    const state: LabelState = { made: new Map(), negations: new Map(), rows: new Map() }
    states.set(key, state)
    return state
  }
  for (const made of stored.made) stateOf(made).made.set(made.cid, made)
  for (const negation of stored.negations) stateOf(negation).negations.set(sequenceOf(negation), negation)
  for (const row of stored.rows) stateOf(row).rows.set(row.cid, row)

  const changes: LabelChanges = { made: [], negations: [], rows: [] }
  const before = new Set<Positive | Negation>([...stored.made, ...stored.negations])
  for (const state of states.values()) adopt(state)
  for (const made of batch.made) {
    const state = stateOf(made)
    const known = state.made.get(made.cid)
    if (!known || compareMade(known, made) < 0) state.made.set(made.cid, made)
    if (!state.rows.has(made.cid)) state.rows.set(made.cid, undefined)
  }
  for (const negation of batch.negations) {
    const { negations } = stateOf(negation)
    const sequence = sequenceOf(negation)
    const known = negations.get(sequence)
    if (!known) negations.set(sequence, negation)
    else if (negation.cts > known.cts || negation.seq > known.seq)
      negations.set(sequence, joinNegations(known, negation))
  }
  for (const label of batch.negatedCids) {
    const { rows } = stateOf(label)
    if (!rows.has(label.cid)) rows.set(label.cid, undefined)
  }

  for (const [key, state] of [...states].sort(([a], [b]) => compareText(a, b))) {
    const [src, uri, val] = JSON.parse(key) as [string, string, string]
    for (const made of state.made.values()) if (!before.has(made)) changes.made.push(made)
    for (const negation of state.negations.values()) if (!before.has(negation)) changes.negations.push(negation)
    for (const [cid, row] of [...state.rows].sort(([a], [b]) => compareText(a, b))) {
      const next = { src, uri, val, cid, ...whatIsSeen(state, cid) }
      if (!row || row.neg !== next.neg || row.cts !== next.cts || row.exp !== next.exp) changes.rows.push(next)
    }
  }
  return changes
}

/** Rows that we know nothing more of were left by another service: taken as if an entry without a place had said them. */
function adopt({ made, negations, rows }: LabelState): void {
  const isOurs = negations.size > 0
  for (const row of rows.values()) {
    if (!row || made.has(row.cid) || (row.neg && isOurs)) continue
    const { src, uri, val, cid, neg } = row
    const said = { src, uri, val, ...unknownPlace, cts: instant(row.cts) }
    if (!neg) made.set(cid, { ...said, cid, exp: parseTime(row.exp ?? undefined) ?? null })
    else {
      const known = negations.get(sequenceOf(said))
      negations.set(sequenceOf(said), known ? joinNegations(known, said) : said)
    }
  }
}

function whatIsSeen({ made, negations }: LabelState, cid: string): Pick<LabelRow, 'neg' | 'cts' | 'exp'> {
  const positive = made.get(cid)
  if (positive && !isTakenBack(positive, negations.values()))
    return { neg: false, cts: inMilliseconds(positive.cts), exp: positive.exp }
  const cts = [...negations.values()].reduce((newest, negation) => (negation.cts > newest ? negation.cts : newest), '')
  return { neg: true, cts: inMilliseconds(cts), exp: null }
}

function sequenceOf({ host, epoch }: Negation): string {
  return `${epoch} ${host}`
}

/** The form that `label` has: that of every time that readers see. */
function inMilliseconds(cts: string): string {
  return `${cts.slice(0, 23)}Z`
}
