import path from 'node:path'

/** The recording that everything here is held against. */
export const recordingFolder = path.resolve(import.meta.dirname, '../../../fixtures/network-basic')
/** Sequence number of its last labels. */
export const LAST_LABELS = 8
