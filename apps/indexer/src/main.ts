#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { runProcess } from '@millrace/runtime'
import { indexerConfig } from './config.ts'
import { runIndexer } from './run-indexer.ts'

// Left to itself on a large machine, V8 lets the heap grow to four times of what lives before it looks at all of it, and a
// long backlog makes much that lives shortly: growth by two fifths costs little and keeps the process below 600 MB.
setFlagsFromString('--heap-growing-percent=40')

await runProcess('indexer', indexerConfig, runIndexer)
