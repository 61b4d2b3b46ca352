import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describeStreamStore } from '@millrace/stream-protocol/testing'
import { afterAll } from 'vitest'
import { openSqliteStreams } from './open-sqlite-streams.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-sqlite-'))
afterAll(() => rm(folder, { recursive: true }))

describeStreamStore('sqlite', () => openSqliteStreams({ file: path.join(folder, 'streams.db') }))
