#!/usr/bin/env node
import { runProcess } from '@millrace/runtime'
import { ingesterConfig } from './config.ts'
import { runIngester } from './run-ingester.ts'

await runProcess('ingester', ingesterConfig, runIngester)
