export { ingesterConfig } from './config.ts'
export {
  checkpointLoop,
  streamEpochLoop,
  describeTrouble,
  ingesterLoops,
  type CheckpointOptions,
  type IngesterLoop,
  type IngesterOptions,
} from './ingester.ts'
export { runIngester } from './run-ingester.ts'
