import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

export interface ConsoleBrowserOptions {
  /** Of the browser. */
  executable: string
  /** Of the admin server. */
  url: string
  /** Folder that pictures go to. */
  pictures: string
}

const looks = {
  light: { viewport: { width: 1_280, height: 860 }, colorScheme: 'light' },
  dark: { viewport: { width: 1_280, height: 860 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>

export type Look = keyof typeof looks

/**
 * A real browser at the console. Whatever it complains about is kept: an error of a script, a breach of the policy, a
 * dialog that some text has opened.
 */
export class ConsoleBrowser implements AsyncDisposable {
  readonly #browser: Browser
  readonly #options: ConsoleBrowserOptions
  readonly complaints: string[] = []

  private constructor(browser: Browser, options: ConsoleBrowserOptions) {
    this.#browser = browser
    this.#options = options
  }

  static async start(options: ConsoleBrowserOptions): Promise<ConsoleBrowser> {
    await mkdir(options.pictures, { recursive: true })
    // Root has no sandbox to put it in, and nothing but our own page is shown.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    return new ConsoleBrowser(await chromium.launch({ executablePath: options.executable, args }), options)
  }

  /** A window that nobody has logged in to yet. */
  async open(look: Look): Promise<Page> {
    const context = await this.#browser.newContext({ ...looks[look], reducedMotion: 'reduce', timezoneId: 'UTC' })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => this.complaints.push(`${look}: ${error.message}`))
    page.on('dialog', (dialog) => {
      this.complaints.push(`${look}: a dialog says ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('console', (message) => {
      const text = message.text()
      // A refused log-in is an error to a browser.
      if (message.type() === 'error' && !text.includes('401')) this.complaints.push(`${look}: ${text}`)
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(this.#options.url)) this.complaints.push(`${look}: it asks for ${request.url()}`)
    })
    await page.goto(this.#options.url)
    return page
  }

  /** Goes to a page as its link does. */
  async go(page: Page, place: string): Promise<void> {
    await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`)
    await page.locator('main').waitFor()
    await page.waitForLoadState('networkidle')
  }

  async picture(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: path.join(this.#options.pictures, `${name}.png`), fullPage: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
  }
}
