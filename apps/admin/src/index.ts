export type { AdminSources, Away } from './admin-sources.ts'
export { createAdminServer, defaultBind, type AdminServer, type AdminServerOptions } from './admin-server.ts'
export { watchAlarms, type AlarmWatch, type WatchAlarmsOptions } from './alarms/watch-alarms.ts'
export { checkAdminConfig } from './check-admin-config.ts'
export { collectStatus, type CursorOf } from './collect-status.ts'
export { adminConfig } from './config.ts'
export { configuredCursors, describePipeline } from './describe-pipeline.ts'
export { LocalApi } from './local-api.ts'
export type { Caller, Role } from './methods/method.ts'
export { pipelineCheck } from './pipeline-check.ts'
export { replayable, type Replayable } from './replayable.ts'
export { runAdmin } from './run-admin.ts'
export type {
  ConsumerReport,
  CursorReport,
  DatabaseReport,
  GroupReport,
  ProblemReport,
  Status,
  StreamReport,
} from './status.ts'
