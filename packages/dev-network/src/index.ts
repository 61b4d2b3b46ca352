export { decodeFrame, encodeFrame, type Frame } from './frame.ts'
export { EventStream, type EventStreamOptions } from './event-stream.ts'
export { startRecordedNetwork, type RecordedNetwork, type RecordedNetworkOptions } from './recorded-network.ts'
export { readRecording, type ListedRepo, type RecordedRepo, type Recording } from './recording.ts'
