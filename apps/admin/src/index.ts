export { createAdminServer, defaultBind, type AdminServer, type AdminServerOptions } from './admin-server.ts'
export { collectStatus, type CursorOf, type StatusSources } from './collect-status.ts'
export { adminConfig } from './config.ts'
export { configuredCursors, runAdmin } from './run-admin.ts'
export type {
  ConsumerReport,
  CursorReport,
  DatabaseReport,
  GroupReport,
  Problem,
  ProblemCode,
  Status,
  StreamReport,
} from './status.ts'
