export { formatColumns } from './columns.ts'
export { peakMegabytes } from './peak-megabytes.ts'
export { atLeast, atMost, exactly, figure, formatTable, type Result } from './results.ts'
export { median, percentile } from './statistics.ts'
