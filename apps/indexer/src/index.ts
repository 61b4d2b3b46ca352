export { indexerConfig } from './config.ts'
export {
  indexerLoops,
  indexingPoolSize,
  type IndexerLoops,
  type IndexerParts,
  type IndexerSettings,
} from './indexer-loops.ts'
export { runIndexer } from './run-indexer.ts'
