import type { MigrationSet } from '@millrace/database'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import type { RecordPlugin } from '../plugin.ts'
import { PluginBench } from './plugin-bench.ts'
import { pluginChecks, type PluginCase } from './plugin-checks.ts'

export interface DescribePluginOptions {
  /** Each case by a sentence about the plugin. */
  cases: { [name: string]: PluginCase }
  /** Whose tables the plugins write, beside those of the AppView. */
  sets?: readonly MigrationSet[]
  /** Further plugins that the cases need. */
  plugins?: readonly RecordPlugin[]
  /**
   * URL of a Postgres database. The suite makes a schema of its own in it, and drops it at the end.
   * @default the environment variable TEST_POSTGRES_URL
   */
  database?: () => string | Promise<string>
  /** The clock, in milliseconds since 1970. @default a second after EVENT_TIME */
  now?: () => number
  /**
   * Most orders of arrival to try for one case; 0 where the order may matter. @default 24, which is all of four events
   */
  orders?: number
}

/** Vitest's own 5 seconds are short for a database that others work on as well. */
const TIMEOUT_MS = 60_000

/**
 * Tests a plugin against a real Postgres. Each case gives its rows, and whatever the case is:
 *
 * - twice is once
 * - a batch gives the rows that its events give one by one, and a whole repo those that its history gave
 * - every order of arrival ends in the same rows
 * - an update leaves nothing of what was before
 * - a deletion leaves nothing at all, whether it comes last or first
 * - a newer version that is no record takes the one before with it
 * - what is no longer news tells nobody
 */
export function describePlugin(plugin: RecordPlugin, options: DescribePluginOptions): void {
  const { collection } = plugin.collection
  const { cases, sets = [], plugins = [], database = urlOfEnvironment, now, orders = 24 } = options
  describe(`plugin of ${collection}`, () => {
    let bench: PluginBench
    beforeAll(async () => {
      const others = plugins.filter((other) => other.collection.collection !== collection)
      bench = await PluginBench.open({ plugins: [plugin, ...others], sets, url: await database(), ...(now && { now }) })
    }, TIMEOUT_MS)
    // When it could not be opened there is nothing to close.
    afterAll(() => (bench as PluginBench | undefined)?.[Symbol.asyncDispose](), TIMEOUT_MS)
    beforeEach(() => bench.clear(), TIMEOUT_MS)
    for (const [name, each] of Object.entries(cases)) {
      describe(name, () => {
        for (const [check, run] of Object.entries(pluginChecks(plugin, each, orders)))
          test(check, () => run(bench), TIMEOUT_MS)
      })
    }
  })
}

function urlOfEnvironment(): string {
  const url = process.env['TEST_POSTGRES_URL']
  if (!url)
    throw new Error('describePlugin needs a Postgres: set TEST_POSTGRES_URL to its URL, or give the option `database`')
  return url
}
