// Publishes all packages, or shows what would be published.
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from './infra/check.ts'
import { packAll } from './packages/pack.ts'
import { runCommand } from './packages/run-command.ts'
import { workspacePackages } from './packages/workspace-packages.ts'
import { pendingChangesets, ReleaseCopy, setVersions } from './release/release-copy.ts'

const { values: flags } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    version: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout.write(`npm run release -- [--version | --dry-run]

Publishes all packages of packages/ and apps/ that are not private to npm, from a clone of what is committed. Refuses
unless nothing is uncommitted, versions are set, npm knows you, and all checks of packages pass. docs/releasing.md

  --version   gives all packages the version that their changesets ask for, here in the work tree; commit that
  --dry-run   shows what would be published, and what a release still needs; changes nothing
`)
  process.exit(0)
}
const say = (line: string): void => void process.stdout.write(`${line}\n`)

if (flags.version) {
  say(`all packages are ${await setVersions(ROOT)} now; look at the changelogs, and commit`)
  process.exit(0)
}

const missing: string[] = []
const changed = (await runCommand('git', ['status', '--porcelain'], { cwd: ROOT })).trim()
if (changed !== '') missing.push(`${changed.split('\n').length} files are not committed: they are left out`)
const pending = await pendingChangesets(ROOT)
if (pending.length > 0) missing.push(`${pending.length} changesets have no version yet: npm run release -- --version`)
await runCommand('npm', ['whoami'], { cwd: ROOT }).catch(() => missing.push('npm knows nobody here: npm login'))
const isDry = flags['dry-run']
if (!isDry && missing.length > 0) {
  process.stderr.write(`nothing was published:\n${missing.map((line) => `  ${line}\n`).join('')}`)
  process.exit(1)
}

const folder = await mkdtemp(path.join(tmpdir(), 'millrace-release-'))
try {
  const copy = new ReleaseCopy(ROOT, path.join(folder, 'millrace'))
  say('building what is committed, in a clone')
  await copy.prepare()
  if (pending.length > 0) await setVersions(copy.folder)
  say(isDry ? 'checking packages, but for their install' : 'checking packages')
  await copy.check({ isFast: isDry })

  const { published } = await workspacePackages(copy.folder)
  const tarballs = await packAll(copy.folder, published, path.join(folder, 'tarballs'))
  let sum = 0
  say(`\n${'package'.padEnd(28)}  ${'version'.padEnd(9)}  ${'files'.padStart(6)}  ${'size'.padStart(9)}`)
  for (const { subject, file, files } of tarballs) {
    const { size } = await stat(file)
    sum += size
    const { name, version } = subject.manifest
    say(`${name.padEnd(28)}  ${version.padEnd(9)}  ${String(files).padStart(6)}  ${kilobytes(size).padStart(9)}`)
  }
  say(`${String(tarballs.length).padEnd(28)}  ${''.padEnd(9)}  ${''.padStart(6)}  ${kilobytes(sum).padStart(9)}`)

  if (isDry) {
    say(missing.length === 0 ? '\nnothing is missing: npm run release' : '\nwhat a release still needs:')
    for (const line of missing) say(`  ${line}`)
  } else {
    say(await copy.publish())
    const version = tarballs[0]?.subject.manifest.version ?? ''
    await runCommand('git', ['tag', `v${version}`], { cwd: ROOT })
    say(`published, and tagged v${version}: git push origin v${version}`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`
}
