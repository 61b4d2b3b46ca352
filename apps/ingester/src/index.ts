export { checkIngesterConfig } from './check-ingester-config.ts'
export { chosenDids } from './chosen-dids.ts'
export { ingesterConfig } from './config.ts'
export {
  checkpointLoop,
  streamEpochLoop,
  describeTrouble,
  ingesterLoops,
  shareAccounts,
  shareCollections,
  type CheckpointOptions,
  type IngesterLoop,
  type IngesterOptions,
  type ShareAccountsOptions,
  type ShareCollectionsOptions,
} from './ingester.ts'
export { pausableIngesters } from './pausable-ingesters.ts'
export { runIngester } from './run-ingester.ts'
