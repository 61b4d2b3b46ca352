// The way in from a fresh clone: `node tools/toolchain/run.mjs <command> [arguments]`.
//
// Runs on the Node that happens to be there (18 or newer) without any dependency, brings the Node and the pnpm
// that the repository is made with, installs the workspace, and hands over. Each step says what it does and is
// skipped when its result is there already, so a second start costs a fraction of a second.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(here, '../..')
const binFolder = path.join(here, '.bin')
const pins = JSON.parse(readFileSync(path.join(here, 'package.json'), 'utf8'))

const say = (text) => process.stderr.write(`millrace: ${text}\n`)
const fail = (text) => {
  process.stderr.write(`millrace: ${text}\n`)
  process.exit(1)
}

/** What the workspace runs on. vitest and changesets leave out the odd releases. */
function isFit(version) {
  const [major, minor] = version.split('.').map(Number)
  return (major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major >= 26
}

function resolvePackage(name) {
  const folder = path.join(here, 'node_modules', name)
  if (!existsSync(path.join(folder, 'package.json'))) return undefined
  return { folder, version: JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).version }
}

const ownNodeIsFit = isFit(process.versions.node)
const nodePackage = `node-${process.platform}-${process.arch}`
const nodePin = pins.optionalDependencies[nodePackage]

/** npm hands its own settings down as npm_* variables; pnpm would read them as its own. The way to the registry stays. */
function cleanEnvironment() {
  const keep =
    /^npm_config_(registry|cafile|ca|https?_proxy|proxy|noproxy|userconfig|.*:_?(auth|authtoken|password|username))$/i
  const env = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^npm_/i.test(name) || keep.test(name)) env[name] = value
  }
  return { ...env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
}

function runStep(command, args, options, whatFailed) {
  const result = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', ...options })
  if (result.status === 0) return
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`)
  fail(whatFailed)
}

function installToolchain() {
  const pnpm = resolvePackage('pnpm')
  const node = ownNodeIsFit ? undefined : resolvePackage(nodePackage)
  if (pnpm?.version === pins.dependencies.pnpm && (ownNodeIsFit || node?.version === nodePin)) return
  if (!ownNodeIsFit && !nodePin) {
    fail(
      `Node ${process.versions.node} is too old, and no Node for ${process.platform}-${process.arch} can be had from npm. Install Node 24 and start again.`,
    )
  }
  say(
    ownNodeIsFit
      ? `getting pnpm ${pins.dependencies.pnpm} (about 2 s)`
      : `Node ${process.versions.node} is too old here: getting Node ${nodePin} and pnpm ${pins.dependencies.pnpm} from npm (about 10 s)`,
  )
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  if (ownNodeIsFit) args.push('--omit=optional')
  runStep(
    'npm',
    args,
    { cwd: here, env: process.env, shell: process.platform === 'win32' },
    'npm could not install tools/toolchain; is a package registry reachable?',
  )
}

/** Replaced by rename: two runs may be here at once. */
function link(target, name) {
  const place = path.join(binFolder, name)
  if (existsSync(place) && realpathSync(place) === realpathSync(target)) return
  const fresh = `${place}.${process.pid}`
  rmSync(fresh, { force: true })
  symlinkSync(target, fresh)
  renameSync(fresh, place)
}

function toolEnvironment() {
  mkdirSync(binFolder, { recursive: true })
  const bundled = ownNodeIsFit ? undefined : resolvePackage(nodePackage)
  const node = bundled ? path.join(bundled.folder, 'bin', 'node') : process.execPath
  link(node, 'node')
  link(path.join(resolvePackage('pnpm').folder, 'bin', 'pnpm.cjs'), 'pnpm')
  const env = cleanEnvironment()
  env.PATH = `${binFolder}${path.delimiter}${env.PATH ?? ''}`
  if (bundled) env.npm_config_nodedir = bundled.folder // headers, for native addons
  return env
}

/** The lockfile decides; its hash beside node_modules says that this very state was installed. */
function installWorkspace(env) {
  const stamp = path.join(root, 'node_modules', '.millrace-installed')
  const manifests = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']
  const state = createHash('sha256')
    .update(manifests.map((file) => readFileSync(path.join(root, file), 'utf8')).join('\0'))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
  say('installing dependencies (pnpm install, about 20 s the first time)')
  runStep(
    'pnpm',
    ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'],
    { cwd: root, env },
    'pnpm could not install the workspace',
  )
  writeFileSync(stamp, state)
}

function build(env) {
  const isFirst = !existsSync(path.join(root, 'apps/millrace/dist/main.js'))
  if (isFirst) say('building the packages (about 20 s the first time)')
  const started = Date.now()
  runStep(
    'pnpm',
    ['exec', 'turbo', 'run', 'build', '--output-logs=errors-only', '--ui=stream'],
    { cwd: root, env },
    'the build failed',
  )
  const seconds = (Date.now() - started) / 1000
  if (!isFirst && seconds > 2) say(`built what had changed (${seconds.toFixed(1)} s)`)
}

/** Replaces this process as far as Node can: same terminal, same signals, same end. */
function handOver(command, args, env) {
  const child = spawn(command, args, { cwd: root, env, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`cannot run ${command}: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)))
}

/** The one that was asked for, or what there is. */
function mainOfExample(name = '') {
  const names = readdirSync(path.join(root, 'examples'))
  if (!names.includes(name)) fail(`usage: npm run example -- <${names.join(' or ')}> [--help]`)
  return `examples/${name}/dist/main.js`
}

const commands = {
  start: {
    help: 'build, then `millrace up`: the whole pipeline on this machine',
    run: (env, args) => (build(env), handOver('node', ['apps/millrace/dist/main.js', 'up', ...args], env)),
  },
  test: {
    help: 'all tests, with a private Redis and Postgres (arguments go to vitest)',
    run: (env, args) => (build(env), handOver('node', ['node_modules/vitest/vitest.mjs', 'run', ...args], env)),
  },
  check: {
    help: 'types, lint, format, unused code',
    run: (env, args) => handOver('pnpm', ['run', 'check:all', ...args], env),
  },
  'check:alerts': {
    help: 'the rules of Prometheus, played against series by promtool',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/check-alerts.ts', ...args], env)),
  },
  bench: {
    help: 'the benchmarks (`npm run bench -- --help`)',
    run: (env, args) => (build(env), handOver('node', ['bench/src/main.ts', ...args], env)),
  },
  conformance: {
    help: 'a recorded network through the four apps, compared with the reference by rows and by the answers of its AppView',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/conformance.ts', ...args], env)),
  },
  'test:convergence': {
    help: 'random histories in random orders, compared with an oracle, for as long as you like (`-- --minutes 15`)',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/convergence.ts', ...args], env)),
  },
  'e2e:outage': {
    help: 'an indexer that stands still for ten days: the alarm, the loss, the repair, with figures',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/outage.ts', ...args], env)),
  },
  'e2e:inlets': {
    help: 'large repos, many small ones and ten hosts that do harm, at once: what is indexed, in what memory, how late live events are',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/inlets.ts', ...args], env)),
  },
  'e2e:console': {
    help: 'the console in Chromium: an incident, from the red page to its repair (needs a Chromium)',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/console.ts', ...args], env)),
  },
  nemesis: {
    help: 'faults of every kind into a pipeline of real processes, and what became of the rows (`-- --minutes 60`)',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/nemesis.ts', ...args], env)),
  },
  fuzz: {
    help: 'bytes of strangers for everything that reads them, compared with other readers (`-- --seconds 60`)',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/fuzz.ts', ...args], env)),
  },
  mutants: {
    help: 'each guard left out in turn, with the test that notices',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/mutants.ts', ...args], env)),
  },
  'check:packages': {
    help: 'what strangers install: manifests, READMEs, tarballs, public names, and an install outside of the workspace',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/check-packages.ts', ...args], env)),
  },
  release: {
    help: 'publishes all packages, or shows what would be published (`-- --dry-run`)',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/release.ts', ...args], env)),
  },
  'check:infra': {
    help: 'what `infra/` holds: image, compose, systemd, Helm, Prometheus and Grafana, as far as it can be checked here',
    run: (env, args) => (build(env), handOver('node', ['e2e/src/check-infra.ts', ...args], env)),
  },
  millrace: {
    help: 'the millrace command (`npm run millrace -- --help`)',
    run: (env, args) => (build(env), handOver('node', ['apps/millrace/dist/main.js', ...args], env)),
  },
  example: {
    help: 'an example of `examples/`, such as `npm run example -- statusphere`',
    run: (env, [name, ...args]) => {
      const main = mainOfExample(name)
      build(env)
      handOver('node', [main, ...args], env)
    },
  },
  pnpm: { help: 'pnpm as the repository uses it', run: (env, args) => handOver('pnpm', args, env) },
  env: {
    help: 'prints `export PATH=…` for working by hand',
    run: () => process.stdout.write(`export PATH='${binFolder}':"$PATH"\n`),
  },
}

const [name, ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined
if (!command) {
  fail(
    `usage: node tools/toolchain/run.mjs <command> [arguments]\n${Object.entries(commands)
      .map(([key, { help }]) => `  ${key.padEnd(16)} ${help}`)
      .join('\n')}`,
  )
}
if (Number(process.versions.node.split('.')[0]) < 18)
  fail(`Node ${process.versions.node} is too old even for the set-up; Node 18 or newer is needed.`)
installToolchain()
const env = toolEnvironment()
if (name !== 'pnpm' && name !== 'env') installWorkspace(env)
command.run(env, args)
