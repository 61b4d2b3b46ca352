export { BatchReader } from './batch-reader.ts'
export { describeStreamStore } from './describe-stream-store.ts'
