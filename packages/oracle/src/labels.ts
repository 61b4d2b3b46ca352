import type { FinalLabel } from './final-network.ts'
import { storable } from './storable.ts'
import type { Row } from './tables.ts'
import { canonicalTime } from './time.ts'

/**
 * The labels that hold. Of one label about one version the newest counts: by its time, then by its place (hazard L2).
 * It is taken back by a negation of that label about any version that has a later time or a later place (L1, L3).
 */
export function labelRows(labels: readonly FinalLabel[]): Row[] {
  const newest = new Map<string, FinalLabel>()
  const negations = Map.groupBy(
    labels.filter((label) => label.neg),
    labelName,
  )
  for (const label of labels.filter(({ neg }) => !neg)) {
    const key = JSON.stringify([labelName(label), label.cid ?? ''])
    const before = newest.get(key)
    if (!before || isLater(label, before)) newest.set(key, label)
  }
  return [...newest.values()]
    .filter((label) =>
      (negations.get(labelName(label)) ?? []).every(
        (negation) => timeOf(negation) <= timeOf(label) && negation.seq <= label.seq,
      ),
    )
    .map((label) => ({
      src: label.src,
      uri: storable(label.uri),
      cid: label.cid ?? '',
      val: storable(label.val),
      neg: false,
      cts: timeOf(label),
      exp: label.exp === undefined ? null : canonicalTime(label.exp),
    }))
}

function labelName({ src, uri, val }: FinalLabel): string {
  return JSON.stringify([src, uri, val])
}

function timeOf({ cts }: FinalLabel): string {
  return canonicalTime(cts)
}

function isLater(a: FinalLabel, b: FinalLabel): boolean {
  return timeOf(a) === timeOf(b) ? a.seq > b.seq : timeOf(a) > timeOf(b)
}
