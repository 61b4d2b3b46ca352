import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readDidLines } from './read-did-lines.ts'

async function all(path: string): Promise<string[]> {
  const dids: string[] = []
  for await (const did of readDidLines(path, '--file')) dids.push(did)
  return dids
}

async function didsOf(text: string): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-dids-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = path.join(folder, 'dids')
  await writeFile(file, text)
  return await all(file)
}

test('a DID stands first in each line, whatever follows', async () => {
  const text = '# mine\ndid:plc:a\r\n\n"did:plc:b",alice.test\ndid:web:c.test;x\ndid:plc:d  since 2023'
  expect(await didsOf(text)).toEqual(['did:plc:a', 'did:plc:b', 'did:web:c.test', 'did:plc:d'])
})

test('a line without one is named', async () => {
  await expect(didsOf('did:plc:a\nhandle,did:plc:b\n')).rejects.toThrow('line 2 does not begin with a DID')
})

test('a file that is not there is said', async () => {
  await expect(all('/nowhere/dids')).rejects.toThrow(/--file: .*ENOENT/)
})
