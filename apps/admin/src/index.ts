export { createAdminServer, defaultBind, type AdminServer, type AdminServerOptions } from './admin-server.ts'
export { collectStatus, type CursorOf, type StatusSources } from './collect-status.ts'
export { adminConfig } from './config.ts'
export { ProgressWatch, type GroupProgress, type ProgressWatchOptions } from './progress-watch.ts'
export { configuredCursors, runAdmin } from './run-admin.ts'
export type {
  ConsumerReport,
  CursorReport,
  DatabaseReport,
  GroupReport,
  GroupVerdict,
  Problem,
  ProblemCode,
  Status,
  StreamReport,
} from './status.ts'
