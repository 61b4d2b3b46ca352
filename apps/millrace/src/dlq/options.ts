/** Which letters; all of these have to hold. */
export interface LetterTraits {
  stream?: string | undefined
  reasonCode?: string | undefined
  fingerprint?: string | undefined
  /** A DID, a handle or an AT-URI. */
  did?: string | undefined
}

/** The letters that something is done with. */
export interface ChosenLetters extends LetterTraits {
  ids?: readonly number[] | undefined
  /** All that nobody has decided about. */
  all?: boolean | undefined
}

/** What a `millrace dlq` was asked for. */
export type DlqRequest =
  | { command: 'summary'; filter: LetterTraits & { state?: string | undefined } }
  | {
      command: 'list'
      filter: LetterTraits & { state?: string | undefined }
      limit: number
      after?: string | undefined
    }
  /** With `payload`, prints the payload alone, as it is. */
  | { command: 'show'; id: number; payload: boolean }
  /** All of them, one JSON object to a line. */
  | { command: 'export'; filter: LetterTraits & { state?: string | undefined } }
  | { command: 'retry'; filter: ChosenLetters; dryRun: boolean; reason?: string | undefined }
  | { command: 'edit'; id: number; payload: string; reason?: string | undefined }
  | { command: 'discard'; filter: ChosenLetters; yes: boolean; reason?: string | undefined }
