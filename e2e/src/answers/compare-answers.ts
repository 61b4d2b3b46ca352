import { isObject, type JsonObject } from '@millrace/stream-protocol'
import { keyOf } from '@millrace/oracle'

export interface AnswerDifference {
  /** Where in the expected answer, for people: `$.feed[3].post.replyCount`. */
  at: string
  /** `changed`: another value of a property. The others are of items of a list; `moved`: in another place of it. */
  kind: 'changed' | 'missing' | 'extra' | 'moved'
  /** The property; of an item the one that holds its list. */
  field: string
  /** What the view that it stands in is of: a URI or a DID. */
  subject: string | undefined
  /** The value, or the item. */
  expected?: unknown
  actual?: unknown
  /** Of an item: after it the list holds none that the other list has too. */
  isAtEnd?: boolean
}

/** Where two answers differ. Items of lists are told apart by what they are views of. A function of values. */
export function compareAnswers(expected: unknown, actual: unknown): AnswerDifference[] {
  return compareValues(expected, actual, { at: '$', field: '$', subject: undefined })
}

type Place = Pick<AnswerDifference, 'at' | 'field' | 'subject'>

function compareValues(expected: unknown, actual: unknown, place: Place): AnswerDifference[] {
  if (expected === actual) return []
  if (Array.isArray(expected) && Array.isArray(actual)) return compareLists(expected, actual, place)
  if (isObject(expected) && isObject(actual)) {
    const subject = subjectOf(expected) ?? place.subject
    return [...new Set([...Object.keys(expected), ...Object.keys(actual)])].flatMap((field) =>
      compareValues(expected[field], actual[field], { at: `${place.at}.${field}`, field, subject }),
    )
  }
  return [{ ...place, kind: 'changed', expected, actual }]
}

function compareLists(expected: readonly unknown[], actual: readonly unknown[], place: Place): AnswerDifference[] {
  const theirs = byIdentity(expected)
  const ours = byIdentity(actual)
  // What cannot be told apart is compared place by place.
  if (!theirs || !ours) {
    const length = Math.max(expected.length, actual.length)
    return Array.from({ length }, (_, index) =>
      compareValues(expected[index], actual[index], { ...place, at: `${place.at}[${index}]` }),
    ).flat()
  }
  const shared = [...theirs.keys()].filter((id) => ours.has(id))
  const inPlace = new Set(
    longestCommon(
      shared,
      [...ours.keys()].filter((id) => theirs.has(id)),
    ),
  )
  const differences = [...theirs].flatMap(([id, [item, index]]): AnswerDifference[] => {
    const at = `${place.at}[${index}]`
    const other = ours.get(id)
    if (!other) return [{ ...place, at, kind: 'missing', expected: item, isAtEnd: isAtEnd(theirs, index, ours) }]
    const inside = compareValues(item, other[0], { ...place, at })
    return inPlace.has(id) ? inside : [{ ...place, at, kind: 'moved', expected: item, actual: other[0] }, ...inside]
  })
  for (const [id, [item, index]] of ours) {
    if (theirs.has(id)) continue
    const at = `${place.at}[+${index}]`
    differences.push({ ...place, at, kind: 'extra', actual: item, isAtEnd: isAtEnd(ours, index, theirs) })
  }
  return differences
}

type Items = ReadonlyMap<string, readonly [item: unknown, index: number]>

function byIdentity(list: readonly unknown[]): Items | undefined {
  const items = new Map<string, readonly [unknown, number]>()
  for (const [index, item] of list.entries()) {
    const id = isObject(item) ? identityOf(item) : undefined
    if (id === undefined || items.has(id)) return undefined
    items.set(id, [item, index])
  }
  return items
}

/** The subject alone does not do for what can be in a list twice: reposts, notifications, labels. */
function identityOf(item: JsonObject): string | undefined {
  const subject = subjectOf(item)
  if (subject === undefined) return undefined
  const { reason } = item
  const why = isObject(reason) ? (reason['uri'] ?? reason['$type']) : reason
  return keyOf([subject, why, item['reasonSubject'], item['src'], item['val']])
}

/** What an object is a view of. Some wrap the view: an item of a feed its post, a like the account. */
export function subjectOf(object: unknown): string | undefined {
  if (!isObject(object)) return undefined
  for (const view of [
    object,
    object['post'],
    object['actor'],
    object['subject'],
    object['list'],
    object['starterPack'],
  ])
    for (const name of ['uri', 'did']) {
      const value = isObject(view) ? view[name] : undefined
      if (typeof value === 'string') return value
    }
  return undefined
}

function isAtEnd(items: Items, index: number, others: Items): boolean {
  return [...items].every(([id, [, place]]) => place < index || !others.has(id))
}

/** The longest sequence that two orders of the same things share. */
function longestCommon(one: readonly string[], other: readonly string[]): string[] {
  const place = new Map(other.map((id, index) => [id, index]))
  // best[n] is the sequence of n + 1 things that ends earliest in the other order.
  const best: string[][] = []
  for (const id of one) {
    const at = place.get(id)!
    const length = best.findIndex((sequence) => place.get(sequence.at(-1)!)! > at)
    const before = length === -1 ? best.at(-1) : best[length - 1]
    best[length === -1 ? best.length : length] = [...(before ?? []), id]
  }
  return best.at(-1) ?? []
}
