import { isMap, type CborValue } from '@millrace/repo-reader'
import { InvalidEventError, readLabelEvent, type LabelEvent } from '@millrace/stream-protocol'
import { ignored, originOf, type Conversion, type Origin } from './conversion.ts'
import type { Frame } from './frame.ts'
import { proofOf, type LabelProof } from './label-proof.ts'

export interface ConvertLabelsOptions extends Origin {
  /** DID of that labeler; labels of others are dropped (hazard L7). */
  expectedSrc?: string | undefined
}

/** What a frame of labels becomes, and what was left out. */
export interface LabelConversion extends Conversion<LabelEvent> {
  /** What proves each event. */
  proofs: ReadonlyMap<LabelEvent, LabelProof>
}

/**
 * Turns a frame of `subscribeLabels` into one event for each label, in order, without their signatures.
 *
 * A pure function, and total. A label that is not one is rejected alone, and so is one in the name of another labeler.
 */
export function frameToLabels(frame: Frame, options: ConvertLabelsOptions): LabelConversion {
  const { expectedSrc } = options
  const proofs = new Map<LabelEvent, LabelProof>()
  if (frame.type !== 'labels') return { ...ignored(frame.type === 'info' ? 'info' : 'unknown-type'), proofs }
  const labels = frame.body['labels']
  const result: LabelConversion = { events: [], outcome: 'appended', rejected: [], dirty: [], proofs }
  // There is no account that could be fetched instead, only the labeler as a whole.
  if (!Array.isArray(labels)) return { ...result, outcome: 'invalid', reason: 'bad-field', gap: true }
  for (const label of labels) {
    try {
      const event = readLabelEvent({ type: 'label', label, seq: frame.seq, ...originOf(options) })
      if (expectedSrc !== undefined && event.label.src !== expectedSrc)
        result.rejected.push(rejected('spoofed-label', `labeler is ${event.label.src}, not ${expectedSrc}`, label))
      else {
        result.events.push(event)
        if (isMap(label)) proofs.set(event, proofOf(label))
      }
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error
      result.rejected.push(rejected('bad-label', error.message, label))
    }
  }
  const time = result.events.at(-1)?.label.cts
  return { ...result, ...(time !== undefined && { time }) }
}

function rejected(reason: string, error: string, label: CborValue) {
  const uri = isMap(label) ? label['uri'] : undefined
  return { reason, error, ...(typeof uri === 'string' && { uri: uri.slice(0, 8_192) }), payload: JSON.stringify(label) }
}
