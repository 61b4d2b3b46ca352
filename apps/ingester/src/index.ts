export { ingesterConfig } from './config.ts'
export {
  checkpointLoop,
  describeTrouble,
  ingesterLoops,
  type CheckpointOptions,
  type IngesterLoop,
  type IngesterOptions,
} from './ingester.ts'
export { runIngester } from './run-ingester.ts'
