export { formatColumns } from './columns.ts'
export { atLeast, atMost, exactly, figure, formatTable, type Result } from './results.ts'
