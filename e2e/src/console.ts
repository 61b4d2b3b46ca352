// The console in a real browser, over a pipeline of real processes: an incident from the red page to its repair.
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres, startRedis } from '@millrace/local-services'
import { beginStory } from './begin-story.ts'
import { findChromium } from './console/find-chromium.ts'
import { playConsole } from './console/play-console.ts'

const pictures = path.resolve(import.meta.dirname, '../pictures')

const { values: flags } = parseArgs({
  options: { chromium: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
})
if (flags.help) {
  process.stdout.write(`npm run e2e:console -- [--chromium /usr/bin/chromium]

The console in Chromium over the four apps and a simulated network: the indexer stands still, the page turns red, what
was not read is trimmed, the heatmap shows the hole, a repair is begun from the page and heals it. Texts of an attacker
are on every page meanwhile. Pictures of every page, light, dark and on a phone, are left in ${path.relative(process.cwd(), pictures)}.
Exits 1 when anything is not as it has to be, 2 without a Chromium.
`)
  process.exit(0)
}
const chromium = flags.chromium ?? findChromium()
if (chromium === undefined) {
  process.stderr.write(`No Chromium is on the PATH. On Debian and Ubuntu: apt-get install chromium
Elsewhere name one, or Chrome: npm run e2e:console -- --chromium /path/to/chrome
`)
  process.exit(2)
}

await using redis = await startRedis()
await using postgres = await startPostgres()
await playConsole({
  redisUrl: redis.url,
  databaseUrl: postgres.url,
  chromium,
  pictures,
  say: beginStory(),
})
process.stdout.write(`The console is as it has to be. Pictures: ${path.relative(process.cwd(), pictures)}\n`)
