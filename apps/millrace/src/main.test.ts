import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

/** Prints, at the end of a process, which packages of others it has loaded. */
const listPackages = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  const packages = new Set()
  registerHooks({
    load(url, context, next) {
      const [, name] = /.*[/]node_modules[/]((?:@[^/]+[/])?[^/]+)/.exec(url) ?? []
      if (name !== undefined) packages.add(name)
      return next(url, context)
    },
  })
  process.on('exit', () => process.stderr.write(JSON.stringify([...packages])))
`)}`

/** Packages of others that the command loads before it does what it is asked. */
async function loadedBy(...args: string[]): Promise<unknown> {
  const main = path.join(import.meta.dirname, 'main.ts')
  const options = ['--conditions=@millrace/source', '--import', listPackages]
  const { stderr } = await run(process.execPath, [...options, main, ...args, '--help'])
  return JSON.parse(stderr)
}

// Somebody was paged: a log, metrics, schemas and the drivers of stores take longer to load than the answer to come.
test.each(['status', 'doctor', 'trace', 'lag', 'streams', 'repair', 'pause', 'dlq'])(
  'millrace %s loads nothing that it does not need to ask the admin server',
  { timeout: 60_000 },
  async (name) => {
    expect(await loadedBy(name)).toEqual(['commander'])
  },
)
