export { ingesterConfig } from './config.ts'
export { describeTrouble, ingesterLoops, type IngesterLoop, type IngesterOptions } from './ingester.ts'
export { runIngester } from './run-ingester.ts'
