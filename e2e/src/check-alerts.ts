import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { alertRules } from '@millrace/diagnosis/prometheus'
import { promtoolTests } from './alerts/promtool-tests.ts'

const RULES = path.resolve(import.meta.dirname, '../../infra/prometheus/millrace.rules.yml')
const promtool = process.env['PROMTOOL'] ?? 'promtool'

/** @returns whether promtool is content. */
function run(...args: string[]): boolean {
  const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' })
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  return status === 0
}

if (spawnSync(promtool, ['--version']).error) {
  process.stderr.write(
    'check:alerts: there is no promtool, which plays series against the rules. Get it with `apt-get install prometheus`,\n' +
      'or from https://prometheus.io/download/, and put it on the PATH or name it in PROMTOOL.\n',
  )
  process.exit(1)
}
const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-alerts-'))
try {
  const rules = alertRules()
  const file = path.join(folder, 'tests.yml')
  await writeFile(file, JSON.stringify(promtoolTests(RULES, rules)))
  const isGood = run('check', 'rules', RULES) && run('test', 'rules', file)
  if (isGood) process.stdout.write(`${rules.length} alarms are raised when they have to be, and not before.\n`)
  process.exitCode = isGood ? 0 : 1
} finally {
  await rm(folder, { recursive: true })
}
