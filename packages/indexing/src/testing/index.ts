export { describePlugin, type DescribePluginOptions } from './describe-plugin.ts'
export {
  cidOf,
  createEvent,
  deleteEvent,
  EVENT_TIME,
  nextRev,
  runEvents,
  snapshotEvents,
  tidOf,
  updateEvent,
  type CreateEventOptions,
} from './events.ts'
export type { PluginCase } from './plugin-checks.ts'
export { readTables, type TableRow, type TableRows } from './tables.ts'
