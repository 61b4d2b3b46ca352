export { indexerConfig } from './config.ts'
export {
  BACKGROUND_POOL_SIZE,
  indexerLoops,
  indexingPoolSize,
  type IndexerLoops,
  type IndexerParts,
  type IndexerSettings,
} from './indexer-loops.ts'
export { runIndexer } from './run-indexer.ts'
