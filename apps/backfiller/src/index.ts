export { BackfillReporter, type BackfillReporterOptions } from './backfill-reporter.ts'
export {
  backfillerLoops,
  repairLoops,
  reporterLoop,
  type BackfillerOptions,
  type RepairLoopOptions,
} from './backfiller.ts'
export { backfillerConfig } from './config.ts'
export { pausableBackfillers, type PausableBackfillersOptions } from './pausable-backfillers.ts'
export { runBackfiller } from './run-backfiller.ts'
