export { backfillerLoops, repairLoops, type BackfillerOptions, type RepairLoopOptions } from './backfiller.ts'
export { backfillerConfig } from './config.ts'
export { runBackfiller } from './run-backfiller.ts'
