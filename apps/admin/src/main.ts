#!/usr/bin/env node
import { runProcess } from '@millrace/runtime'
import { adminConfig } from './config.ts'
import { runAdmin } from './run-admin.ts'

await runProcess('admin', adminConfig, runAdmin)
