/** Of which collection a record is written or removed. */
export const kinds = [
  'post',
  'like',
  'repost',
  'threadgate',
  'postgate',
  'follow',
  'block',
  'list',
  'listitem',
  'listblock',
  'optout',
  'starterpack',
  'verification',
  'profile',
  'generator',
  'labeler',
  'status',
  'notifications',
  'chat',
  'germ',
  'other',
] as const

export type RecordKind = (typeof kinds)[number]

/** What else is said. */
export const happenings = [
  'snapshot',
  'account',
  'listed',
  'identity',
  'label',
  'emptyCommit',
  'equivocation',
  'undo',
] as const

export type Happening = (typeof happenings)[number]

export function isHappening(kind: RecordKind | Happening): kind is Happening {
  return (happenings as readonly string[]).includes(kind)
}

/** One thing that happens, in numbers that mean something whatever they are: so a history can be made smaller freely. */
export interface Step {
  account: number
  kind: RecordKind | Happening
  slot: number
  removes: boolean
  /** Which post, account or list it is about. */
  target: number
  /** A second one: the root of a reply, what a post quotes. */
  other: number
  variant: number
  /** When it says it was made; the last ones are no record of their collection. */
  when: number
  /** Goes into the same commit as the step before. */
  joins: boolean
  /** The firehose leaves it out, and says so. */
  missed: boolean
}
