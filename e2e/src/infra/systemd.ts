import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { INFRA, readInfra, type Outcome } from './check.ts'
import { imageCommands } from './image.ts'
import { environmentProblems } from './variables.ts'

const BIN = '/opt/millrace/bin'

/** The units, without the drop-in of all of them. */
export async function unitFiles(): Promise<string[]> {
  const names = await readdir(path.join(INFRA, 'systemd'))
  return names.filter((name) => /\.(service|target)$/.test(name)).toSorted()
}

/** That each unit runs a command of the image, in an environment that holds. */
export async function unitProblems(): Promise<string[]> {
  const commands = await imageCommands()
  const shared = assignments(await readInfra('systemd/millrace.env'))
  const ofAll = await readInfra('systemd/millrace-.service.d/hardening.conf')
  const problems: string[] = []
  for (const file of (await unitFiles()).filter((name) => name.endsWith('.service'))) {
    const unit = await readInfra(`systemd/${file}`)
    const command = new RegExp(`^ExecStart=${BIN}/(\\S+)$`, 'm').exec(unit)?.[1] ?? ''
    if (!commands.has(command)) problems.push(`${file}: there is no command ${BIN}/${command}`)
    problems.push(...environmentProblems(command, { ...own(unit), ...own(ofAll), ...shared }))
  }
  return problems
}

/** `Environment=NAME=value` of a unit. */
const own = (unit: string): Record<string, string> =>
  assignments([...unit.matchAll(/^Environment=(.*)$/gm)].map(([, text]) => text).join('\n'))

function assignments(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))
}

/** What systemd says about the units, installed in a folder of their own. */
export async function verifyUnits(): Promise<Outcome> {
  const { error } = spawnSync('systemd-analyze', ['--version'])
  if (error) return { notRun: 'there is no systemd-analyze' }
  const root = await mkdtemp(path.join(os.tmpdir(), 'millrace-units-'))
  try {
    await cp(path.join(INFRA, 'systemd'), path.join(root, 'etc/systemd/system'), { recursive: true })
    await mkdir(path.join(root, BIN), { recursive: true })
    for (const name of (await imageCommands()).keys())
      await writeFile(path.join(root, BIN, name), '#!/bin/sh\n', { mode: 0o755 })
    const problems: string[] = []
    for (const file of await unitFiles()) {
      const name = file.replace('@.', '@1.')
      const { status, stdout, stderr } = spawnSync(
        'systemd-analyze',
        ['verify', '--man=no', '--recursive-errors=no', `--root=${root}`, `/etc/systemd/system/${name}`],
        { encoding: 'utf8' },
      )
      const said = `${stdout}${stderr}`.trim()
      if (status !== 0 || said !== '') problems.push(`${name}: ${said || `exit code ${status}`}`)
    }
    return { problems }
  } finally {
    await rm(root, { recursive: true })
  }
}
