import type { LetterSubject } from '@millrace/database'
import { InvalidEventError, labelEventCodec, recordUri, streamEventCodec } from '@millrace/stream-protocol'

/** What indexers can make of the payloads of dead letters. */
export interface Replayable {
  /** Why a letter cannot be replayed as it is, if it cannot. */
  refuses(letter: { stream: string; payload: string; isCut: boolean }): string | undefined
  /** What an event of this stream is about. @throws {InvalidEventError} for what is none. */
  subjectOf(stream: string, payload: string): LetterSubject
}

/** By the streams that the indexers read. */
export function replayable({
  eventStreams,
  labelStream,
}: {
  eventStreams: readonly string[]
  labelStream: string
}): Replayable {
  const subjectOf = (stream: string, payload: string): LetterSubject => {
    if (stream === labelStream) return { uri: labelEventCodec.decode(payload).label.uri }
    if (!eventStreams.includes(stream))
      throw new InvalidEventError(
        'other-stream',
        `no indexer reads ${stream}; its accounts are fetched again by themselves`,
      )
    const event = streamEventCodec.decode(payload)
    return { did: event.did, ...('rkey' in event && { uri: recordUri(event) }) }
  }
  return {
    subjectOf,
    refuses({ stream, payload, isCut }) {
      if (isCut) return 'its payload was cut when it was kept: edit it, or have its account fetched again'
      try {
        subjectOf(stream, payload)
        return undefined
      } catch (error) {
        if (error instanceof InvalidEventError) return error.message
        throw error
      }
    },
  }
}
