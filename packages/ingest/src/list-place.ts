/** What is listed, one after the other: the accounts that have records of a collection, or null for all accounts. */
export type ListSteps = readonly (string | null)[]

/** Where a listing is. */
export interface ListPlace {
  step: number
  /** As the host gave it; null at the beginning of the step. */
  cursor: string | null
}

const LISTED = /^by-collection (\S+) (.*)$/s
const NO_COLLECTION = '*'

/** All accounts, one after the other. */
export const allAccounts: ListSteps = [null]

/** Reads what `writePlace` wrote. What was listed otherwise by then, or has something else in its place now, begins anew. */
export function readPlace(steps: ListSteps, text: string | null): ListPlace {
  const beginning = { step: 0, cursor: null }
  if (text === null) return beginning
  const [, name, cursor] = LISTED.exec(text) ?? []
  if (name === undefined) return isPlain(steps) ? { step: 0, cursor: text } : beginning
  const step = steps.indexOf(name === NO_COLLECTION ? null : name)
  return step === -1 || isPlain(steps) ? beginning : { step, cursor: cursor || null }
}

/** A place as one text, and so as one cursor: of all accounts the host's own. */
export function writePlace(steps: ListSteps, { step, cursor }: ListPlace): string | null {
  if (isPlain(steps)) return cursor
  return `by-collection ${steps[step] ?? NO_COLLECTION} ${cursor ?? ''}`
}

function isPlain(steps: ListSteps): boolean {
  return steps.length === 1 && steps[0] === null
}
