import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeOnce } from './make-once.ts'

test('of two that make a folder at once, both find it whole, and no draft is left', async () => {
  const parent = await temporaryFolder()
  const folder = path.join(parent, 'below', 'folder')
  const bothStarted = Promise.withResolvers<void>()
  let started = 0
  const make = async (draft: string) => {
    await writeFile(path.join(draft, 'a'), 'a')
    if (++started === 2) bothStarted.resolve()
    await bothStarted.promise
    await writeFile(path.join(draft, 'b'), 'b')
  }
  await Promise.all([makeOnce(folder, make), makeOnce(folder, make)])
  expect(started).toBe(2)
  expect(await readdir(path.dirname(folder))).toEqual(['folder'])
  expect((await readdir(folder)).sort()).toEqual(['a', 'b'])
})

test('a failed attempt leaves nothing, and the next one makes the folder', async () => {
  const parent = await temporaryFolder()
  const folder = path.join(parent, 'folder')
  const failing = makeOnce(folder, async (draft) => {
    await writeFile(path.join(draft, 'half'), '')
    throw new Error('no space')
  })
  await expect(failing).rejects.toThrow('no space')
  expect(await readdir(parent)).toEqual([])
  await makeOnce(folder, (draft) => writeFile(path.join(draft, 'whole'), 'yes'))
  expect(await readFile(path.join(folder, 'whole'), 'utf8')).toBe('yes')
})

test('a folder that holds something is left as it is', async () => {
  const folder = await temporaryFolder()
  await writeFile(path.join(folder, 'mine'), '')
  await makeOnce(folder, () => Promise.reject(new Error('not to be called')))
  expect(await readdir(folder)).toEqual(['mine'])
})

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}
