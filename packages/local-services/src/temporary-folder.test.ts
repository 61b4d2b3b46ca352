import { spawnSync } from 'node:child_process'
import { access, mkdir, rm } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'

test('a folder whose process is gone is removed by the next one, and that of a living one is not', async () => {
  const name = 'millrace-test-orphans'
  const mine = await temporaryFolder(name, false)
  onTestFinished(() => rm(mine, { recursive: true }))
  const { pid: deadPid } = spawnSync('true')
  const orphan = mine.replace(`-${process.pid}-`, `-${deadPid}-`)
  await mkdir(orphan)
  const next = await temporaryFolder(name, false)
  onTestFinished(() => rm(next, { recursive: true }))
  await expect(access(orphan)).rejects.toThrow('ENOENT')
  await access(mine)
})
