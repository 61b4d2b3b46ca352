export { BatchReads } from './batch-reads.ts'
export { makeBatch, type MakeBatchOptions, type StoredEntry } from './make-batch.ts'
export { ConsumerMetrics, WriterMetrics, type Delivery } from './stream-metrics.ts'
export { waterMarks, type WaterMarks } from './water-marks.ts'
