import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { AdminClient } from '@millrace/admin-api'
import { startSimulatedNetwork } from '@millrace/dev-network'
import { streams } from '@millrace/stream-protocol'
import type { Page } from 'playwright-core'
import { FourApps } from '../pipeline/four-apps.ts'
import { TestPool } from '../pipeline/test-pool.ts'
import { trimStream } from '../pipeline/trim-stream.ts'
import { PATIENCE_MS, until } from '../pipeline/until.ts'
import { ConsoleBrowser } from './console-browser.ts'
import { placeHostileTexts, shown } from './hostile-texts.ts'
import { writeHours } from './lost-hours.ts'

export interface ConsoleOptions {
  /** Both empty. */
  redisUrl: string
  databaseUrl: string
  chromium: string
  pictures: string
  say: (text: string) => void
}

const PASSWORD = 'correct horse'
const POSTS_PER_HOUR = 44
/** In hours ago: before the incident, what is lost, and after it. */
const [BEFORE, LOST, AFTER] = [
  { from: 72, to: 31 },
  { from: 30, to: 17 },
  { from: 16, to: 0 },
] as const

/** What each page says of texts that an attacker has placed. */
const hostilePlaces: readonly { place: string; texts: readonly string[]; open?: string }[] = [
  { place: '', texts: [shown('note ')] },
  { place: 'lag', texts: [shown('group ')] },
  { place: 'freshness', texts: [] },
  { place: 'streams', texts: [shown('consumer '), shown('group ')] },
  { place: 'backfill', texts: [shown('handle '), shown('fetch ')] },
  { place: 'dead-letters', texts: [shown('error '), shown('payload ')], open: 'Show letters' },
  { place: 'gaps', texts: [shown('gap ')] },
  { place: 'doctor', texts: [] },
  { place: 'alarms', texts: [] },
]

/**
 * Somebody is paged: posts are missing. He logs in, sees what stands still, where the hole is, and has it repaired, all in
 * a real browser over a pipeline of real processes. @throws with the first thing that is not as it has to be.
 */
export async function playConsole({ redisUrl, databaseUrl, chromium, pictures, say }: ConsoleOptions): Promise<void> {
  await using network = await startSimulatedNetwork({
    accounts: 16,
    recordsPerAccount: 4,
    labels: 5,
    time: 'real',
    relayWindow: 120,
  })
  await using pool = new TestPool(databaseUrl)
  await using four = await FourApps.start({
    network,
    redisUrl,
    databaseUrl,
    form: 'built',
    env: {
      MILLRACE_HASTE: '20',
      ADMIN_STALLED_AFTER: '4s',
      ADMIN_PASSWORDS: PASSWORD,
      INGESTER_LABELER_HOSTS: network.labelerUrl,
    },
  })
  const { indexer, backfiller } = four.apps
  const admin = new AdminClient({ url: four.adminUrl, password: PASSWORD })
  const status = () => admin.call('getStatus', {}).catch(() => undefined)
  const settled = () =>
    until('all is in the rows', async () => {
      const now = await status()
      return (
        now !== undefined &&
        now.streams.length > 0 &&
        now.streams.every(({ length }) => length === 0) &&
        now.cursors.some(({ stream, done }) => stream === streams.repoBackfill && done) &&
        Number(now.cursors.find(({ stream }) => stream === streams.firehoseLive)?.cursor) === network.head()
      )
    })

  await until('the ingester reads', () => network.relay.connections > 0)
  await writeHours({ network, ...BEFORE, postsPerHour: POSTS_PER_HOUR })
  await settled()
  await until('no account is to be fetched', async () => (await status())?.database?.dirty.count === 0)
  say('A pipeline runs, and a day and a half of posts is in.')

  await using browser = await ConsoleBrowser.start({ executable: chromium, url: four.adminUrl, pictures })
  const page = await browser.open('light')
  await logIn(page)
  await verdict(page, 'ok')
  await page.getByText('All is well.').waitFor()
  await wait(4_000)
  await browser.picture(page, 'well-overview')
  say('Logged in. The console says: All is well.')

  await backfiller.kill()
  indexer.signal('SIGSTOP')
  await writeHours({ network, ...LOST, postsPerHour: POSTS_PER_HOUR })
  await verdict(page, 'bad')
  await page.getByRole('heading', { level: 1, name: /^firehose_group of firehose_live has acked nothing/ }).waitFor()
  const tint = await page.evaluate<string>(`getComputedStyle(document.querySelector('.verdict')).backgroundColor`)
  const [red = 0, green = 0, blue = 0] = tint.match(/\d+/g)!.map(Number)
  assert.ok(red > 2 * green && red > 2 * blue, `it is ${tint}, and not red`)
  say(`The indexer stands still. The page turns red: ${await page.locator('h1').innerText()}`)
  await wait(5_000)
  await browser.picture(page, 'incident-overview')
  await browser.go(page, 'lag')
  await wait(1_000)
  await browser.picture(page, 'incident-lag')
  await browser.go(page, 'streams')
  await browser.picture(page, 'incident-streams')

  await until('the ingester has read', async () => {
    const now = await status()
    return Number(now?.cursors.find(({ stream }) => stream === streams.firehoseLive)?.cursor) === network.head()
  })
  const trimmed = await trimStream(redisUrl, streams.firehoseLive, 0)
  await indexer.kill()
  indexer.start()
  await writeHours({ network, ...AFTER, postsPerHour: POSTS_PER_HOUR })
  await settled()
  say(`Somebody has trimmed ${trimmed} unread entries, and started the indexer anew.`)

  await browser.go(page, 'freshness')
  await page.locator('.heat g .hole').first().waitFor()
  const holes = await page.locator('.heat g .hole').count()
  assert.ok(holes >= LOST.from - LOST.to, `${holes} hours are outlined`)
  const said = await page.locator('[data-holes]').first().innerText()
  say(`The heatmap outlines ${holes} hours: ${said.split('\n')[0]}`)
  await browser.picture(page, 'hole-freshness')

  const takeAway = await placeHostileTexts({ admin, network, pool, redisUrl, victim: network.account(3) })
  for (const { place, texts, open } of hostilePlaces) {
    await browser.go(page, place)
    if (open !== undefined) await page.getByRole('button', { name: open }).first().click()
    for (const text of texts) await says(page, text)
    await assertHarmless(page, place)
    await browser.picture(page, `hostile-${place || 'overview'}`)
  }
  await browser.go(page, `trace/${encodeURIComponent(network.account(3).did)}`)
  await page.locator('.steps li').first().waitFor()
  await says(page, shown('label '))
  await assertHarmless(page, 'trace')
  await browser.picture(page, 'hostile-trace')
  await takeAway()
  say('A hostile handle, label, error, payload, note and reader are texts on every page.')

  await browser.go(page, 'alarms')
  await change(page, 'Silence for 4 hours', 'we are at it')
  await says(page, 'we are at it')
  await change(page, 'End')
  await says(page, 'Nothing is silenced.')
  await browser.go(page, 'streams')
  await change(page, 'Pause every backfiller for an hour', 'its hosts complain')
  await says(page, 'its hosts complain')
  await browser.picture(page, 'paused')
  await change(page, 'Resume')
  await says(page, 'Nothing is paused.')
  say('An alarm is silenced and heard again, a part is paused and goes on, from the pages.')

  // By the keyboard alone.
  await browser.go(page, 'freshness')
  await page.locator('body').press('7')
  await page.getByRole('heading', { level: 1, name: 'Gaps & repair' }).waitFor()
  await page.getByRole('button', { name: 'Begin repair' }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Begin repair' })
  await dialog.getByText('would be compared with ours').waitFor()
  await dialog.getByLabel('Why').fill('posts are missing')
  await browser.picture(page, 'repair-dialog')
  await page.keyboard.press('Enter')
  await dialog.getByText('is planned').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await page.locator('[data-repair]').first().waitFor()
  await browser.picture(page, 'repair-planned')
  say('A repair is begun from the page. Now the backfiller is started.')

  backfiller.start()
  await page.locator('[data-repair][data-state="done"]').first().waitFor({ timeout: PATIENCE_MS })
  await settled()
  await until('no account is to be fetched', async () => (await status())?.database?.dirty.count === 0)
  await browser.picture(page, 'repair-done')
  await browser.go(page, 'freshness')
  await page.locator('.heat').first().waitFor()
  await page.locator('.heat g .hole').first().waitFor({ state: 'detached', timeout: PATIENCE_MS })
  await browser.picture(page, 'healed-freshness')
  // That entries were lost in the last week is remembered; nothing of it is open any more.
  await until('the console is calm', async () => (await page.locator('.verdict').getAttribute('data-level')) !== 'bad')
  assert.deepEqual(
    (await status())?.problems.map(({ code }) => code),
    ['entries-lost'],
  )
  say('It heals: no hour is missing any more, and nothing is left to do.')

  await everyPage(browser, page, 'light')
  for (const look of ['dark', 'phone'] as const) {
    const other = await browser.open(look)
    await logIn(other)
    await everyPage(browser, other, look)
  }
  assert.deepEqual(browser.complaints, [])
  say(
    'Every page is shown in light, dark and on a phone, nothing wider than its window, and no complaint of the browser.',
  )
}

const places = ['', 'lag', 'freshness', 'streams', 'backfill', 'dead-letters', 'gaps', 'trace', 'doctor', 'alarms']

async function everyPage(browser: ConsoleBrowser, page: Page, look: string): Promise<void> {
  for (const place of places) {
    await browser.go(page, place)
    await wait(place === 'doctor' ? 2_500 : 800)
    const excess = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    assert.ok(excess <= 0, `${place} is ${excess} pixels wider than the window (${look})`)
    assert.equal(await page.locator('.failure').count(), 0, `${place} shows a failure`)
    await browser.picture(page, `${look}-${place || 'overview'}`)
  }
}

async function logIn(page: Page): Promise<void> {
  const password = page.getByLabel('Password of the admin server')
  await password.fill('wrong')
  await password.press('Enter')
  await page.getByText('This is not the password.').waitFor()
  await password.fill(PASSWORD)
  await password.press('Enter')
  await page.locator('main').waitFor()
}

/** Presses the first button of this name, looks at what would change, and does it. */
async function change(page: Page, label: string, reason?: string): Promise<void> {
  await page.getByRole('button', { name: label, exact: true }).first().click()
  const dialog = page.getByRole('dialog', { name: label, exact: true })
  await dialog.getByText('This comes of it').waitFor()
  if (reason !== undefined) await dialog.getByLabel('Why').fill(reason)
  await dialog.getByRole('button', { name: label, exact: true }).click()
  // A button of a row goes with what it has taken away.
  const close = dialog.getByRole('button', { name: 'Close' })
  await until('it is done', async () => (await close.isVisible()) || !(await dialog.isVisible()))
  await page.keyboard.press('Escape')
}

async function says(page: Page, text: string): Promise<void> {
  await until(`the page says ${text}`, async () => (await page.locator('main').innerText()).includes(text))
}

async function verdict(page: Page, level: string, timeout = PATIENCE_MS): Promise<void> {
  await page.locator(`.verdict[data-level="${level}"]`).waitFor({ timeout })
}

/** No text has become an element or a script, and none turns the direction of others. */
async function assertHarmless(page: Page, place: string): Promise<void> {
  const found = await page.evaluate(`({
    elements: document.querySelectorAll('#page img, #page script, #page iframe').length,
    taken: document.body.dataset.taken ?? 'no',
    turned: document.body.innerText.includes('\\u202E'),
  })`)
  assert.deepEqual(found, { elements: 0, taken: 'no', turned: false }, `of ${place}`)
}
