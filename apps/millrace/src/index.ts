export { roleDefinitions, roles, type RoleName } from './config/roles.ts'
export { runUp, type RunUpOptions } from './up/run-up.ts'
export type { UpOptions } from './up/options.ts'
export type { Summary } from './up/summary.ts'
