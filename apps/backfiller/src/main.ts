#!/usr/bin/env node
import { runProcess } from '@millrace/runtime'
import { backfillerConfig } from './config.ts'
import { runBackfiller } from './run-backfiller.ts'

await runProcess('backfiller', backfillerConfig, runBackfiller)
