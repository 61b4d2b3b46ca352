import path from 'node:path'
import { startProcess, type StartedProcess } from '@millrace/runtime/testing'

export interface AppViewOptions {
  /** A database that was migrated, by whom ever. */
  databaseUrl: string
  /** @default 'bsky' */
  schema?: string
  network: { plcUrl: string; handleResolverUrl: string }
}

/** The reference AppView (`@atproto/bsky`) on a database of ours, as a process. */
export class AppView implements AsyncDisposable {
  readonly url: string
  /** How many migrations it applied when it started. */
  readonly migrations: number
  readonly #process: StartedProcess

  private constructor(process: StartedProcess, { url, migrations }: { url: string; migrations: number }) {
    this.#process = process
    this.url = url
    this.migrations = migrations
  }

  static async start({ databaseUrl, schema = 'bsky', network }: AppViewOptions): Promise<AppView> {
    const process = startProcess({
      main: path.join(import.meta.dirname, 'appview-main.ts'),
      env: {
        LOG_ENABLED: 'false',
        APPVIEW_DATABASE_URL: databaseUrl,
        APPVIEW_SCHEMA: schema,
        APPVIEW_PLC_URL: network.plcUrl,
        APPVIEW_HANDLE_RESOLVER_URL: network.handleResolverUrl,
      },
    })
    try {
      const [, ready] = await process.printed(/^ready (.*)\n/m)
      return new AppView(process, JSON.parse(ready!) as { url: string; migrations: number })
    } catch (error) {
      await process[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }
}
