import { isBackfillSeq, type StreamEvent } from '@millrace/stream-protocol'

/** What a host last said about an account. */
export interface HostWord {
  host: string
  active: boolean
  /** Any text; null when none was given. */
  status: string | null
  epoch: number
  /** Negative for what a backfill met. */
  seq: number
}

/** What the account's own PDS answers when it is asked. */
export interface PdsAnswer {
  /**
   * - `active`, `inactive`: its own words
   * - `unknown`: it does not know the account, or does not say
   * - `tombstoned`: the account's DID is gone for good (hazard D8)
   */
  answer: 'active' | 'inactive' | 'unknown' | 'tombstoned'
  /** Why it is inactive, if it says so. */
  status?: string | null
}

/** What is decided about an account. */
export interface AccountState {
  /** Why readers do not see it; null while they do. */
  hidden: string | null
  /** Nothing more of it is applied. */
  held: boolean
  /** All that its records contributed has to go. */
  deleted: boolean
}

export interface Decision extends AccountState {
  /** Whether its PDS has to be asked. */
  ask: boolean
}

export interface DecideOptions {
  /** What the PDS has answered since the last word; null when it was not asked. */
  answer: PdsAnswer | null
  /** Whether it was decided before that the account is deleted. */
  deleted: boolean
  /** Whether there is somebody who asks: nothing is removed then before the PDS could object. */
  asks: boolean
}

/**
 * Decides what becomes of an account (hazards D9, I22, I23). It is hidden if a subscribed host says that it is taken
 * down or suspended, whatever others say. On all else its own PDS has the last word: until it was asked, one host that
 * says inactive is enough to hide it, and afterwards its answer counts. What a backfill met counts only while no
 * firehose has said anything, and hides at most: a host that cannot find a repo is no reason to remove what it once had.
 */
export function decideAccount(words: readonly HostWord[], { answer, deleted, asks }: DecideOptions): Decision {
  const live = words.filter(({ seq }) => !isBackfillSeq(seq))
  const inactive = (live.length > 0 ? live : words).filter(({ active }) => !active)
  const barred = firstOf(live.filter((word) => !word.active && isOwnDecision(word)))
  const said = barred ?? firstOf(inactive)
  const isHeld = inactive.some(({ seq }) => !isBackfillSeq(seq))
  const saidDeleted = live.some(({ active, status }) => !active && status === 'deleted')
  switch (answer?.answer) {
    case 'tombstoned':
      return { hidden: 'deleted', held: true, deleted: true, ask: false }
    case 'active':
      return { hidden: barred ?? null, held: barred !== undefined, deleted: false, ask: false }
    case 'inactive': {
      const status = answer?.status ?? 'inactive'
      return { hidden: barred ?? status, held: true, deleted: status === 'deleted', ask: false }
    }
    case 'unknown':
      return { hidden: said ?? null, held: isHeld, deleted: saidDeleted, ask: false }
    case undefined:
    default: {
      const isDeleted = saidDeleted && (deleted || !asks)
      // A backfill that met something else than the firehose says is a reason to ask as well.
      const isInDoubt = live.length > 0 && words.some((word) => !word.active && !isOwnDecision(word))
      const ask = asks && !isDeleted && isInDoubt
      return { hidden: said ?? null, held: isHeld, deleted: isDeleted, ask }
    }
  }
}

/** A relay may take an account down for itself: no PDS has a say in that. */
function isOwnDecision({ status }: HostWord): boolean {
  return status === 'takendown' || status === 'suspended'
}

/** One of several reasons: always the same one, whatever the order that they came in. */
function firstOf(words: readonly HostWord[]): string | undefined {
  return words.map(({ status }) => status ?? 'inactive').sort()[0]
}

/** The state of an account that is not simply there, with what its hosts said. */
export interface HeldAccount extends AccountState {
  words: readonly HostWord[]
}

/**
 * Whether an event of an account is passed over. What a host had sent before it said that the account is inactive
 * belongs to what is kept: so it does not matter in which order the two are applied (hazards G5, I23).
 */
export function isPassedOver(event: StreamEvent, { held, deleted, words }: HeldAccount): boolean {
  if (deleted || !held) return deleted
  const { seq = -1, host = '', epoch = 0 } = event
  const word = words.find((word) => word.host === host && !word.active)
  if (isBackfillSeq(seq) || !word) return true
  return epoch === word.epoch ? seq > word.seq : epoch > word.epoch
}
