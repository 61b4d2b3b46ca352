#!/usr/bin/env node
import { runProcess } from '@millrace/runtime'
import { indexerConfig } from './config.ts'
import { runIndexer } from './run-indexer.ts'

await runProcess('indexer', indexerConfig, runIndexer)
