export { failpoint } from './failpoint.ts'
export { failpoints, type Failpoint } from './failpoints.ts'
export { isGuarded } from './is-guarded.ts'
export { guards, type Guard } from './guards.ts'
