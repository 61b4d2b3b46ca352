export { backfillerLoops, type BackfillerOptions } from './backfiller.ts'
export { backfillerConfig } from './config.ts'
export { runBackfiller } from './run-backfiller.ts'
