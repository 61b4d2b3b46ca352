export { openAppView, type AppView, type AppViewOptions } from './open-app-view.ts'
export type { AppViewNetwork, AppViewStatus } from './join-pipeline.ts'
