import path from 'node:path'
import { decodeFrame, encodeFrame, readRecording, type Recording } from '@millrace/dev-network'

const folder = path.join(import.meta.dirname, '../../../fixtures/network-basic')

/** Account of the frame that ends a firehose: nobody else is called so. */
export const LAST_DID = 'did:plc:zzzzzzzzzzzzzzzzzzzzzzzz'

export const readRecordedNetwork = (): Promise<Recording> => readRecording(folder)

/**
 * The recorded frames again and again, until there are so many, and one more that says that this was all. The numbers
 * of their sequence rise throughout; all else is as it was recorded.
 */
export function repeatFrames({ frames }: Pick<Recording, 'frames'>, count: number): Uint8Array[] {
  const decoded = frames.map(decodeFrame)
  const repeated = Array.from({ length: count }, (_, index) => {
    const { header, body } = decoded[index % decoded.length]!
    return encodeFrame(header, { ...body, seq: index + 1 })
  })
  const time = new Date().toISOString()
  return [...repeated, encodeFrame({ op: 1, t: '#identity' }, { seq: count + 1, did: LAST_DID, time })]
}
