export { describePlugin, type DescribePluginOptions, type PluginCase } from './describe-plugin.ts'
export {
  cidOf,
  createEvent,
  deleteEvent,
  EVENT_TIME,
  nextRev,
  snapshotEvents,
  tidOf,
  updateEvent,
  type CreateEventOptions,
} from './events.ts'
export { readTables, type TableRow, type TableRows } from './tables.ts'
