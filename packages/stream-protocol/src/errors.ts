/** Something the network sent, or a stream held, that cannot be used. It is counted and kept; it never ends a loop. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError'
  /** A word for metrics and dead letters, from a closed set such as `bad-json` or `bad-did`. */
  readonly reason: string
  /** The account it belongs to, where that could still be read. */
  readonly did: string | undefined

  constructor(reason: string, message: string, options: { did?: string | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.reason = reason
    this.did = options.did
  }
}

/** A writer found another cursor in the store than the one it meant to advance (hazard I1). Nothing was written. */
export class CursorConflictError extends Error {
  override readonly name = 'CursorConflictError'
  readonly key: string
  readonly expected: string | null
  readonly stored: string | null

  constructor(key: string, expected: string | null, stored: string | null) {
    super(
      `cursor ${key} is ${stored ?? 'absent'}, not ${expected ?? 'absent'}: another writer moved it, or the store lost its tail`,
    )
    this.key = key
    this.expected = expected
    this.stored = stored
  }
}
