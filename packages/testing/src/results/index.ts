export { formatColumns } from './columns.ts'
export { atLeast, exactly, figure, formatTable, type Result } from './results.ts'
