import { readdirSync } from 'node:fs'
import path from 'node:path'
import { defineConfig } from 'vitest/config'

const conditions = ['@millrace/source']
const folders = ['packages', 'apps', 'examples']
  .flatMap((parent) => readdirSync(path.join(import.meta.dirname, parent)).map((name) => `${parent}/${name}`))
  .concat('e2e', 'bench')

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // One Redis and one Postgres for all projects: packages/testing hands out prefixes and databases of its own.
    globalSetup: './packages/testing/src/global-setup.ts',
    reporters: ['default', './packages/testing/src/count-reporter.ts'],
    // Only what fails takes so long; a machine that has much else to do may be four times as slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    maxWorkers: 2,
    // Files share the modules of their worker: to load them for each file anew takes a third of the whole time.
    isolate: false,
    projects: folders.map((folder) => ({
      extends: true as const,
      test: {
        name: path.basename(folder),
        root: path.join(import.meta.dirname, folder),
        include: ['src/**/*.test.ts'],
      },
    })),
  },
})
