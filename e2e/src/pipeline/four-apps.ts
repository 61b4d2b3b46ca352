import { freePort } from '@millrace/local-services'
import { AppProcess, type AppName } from './app-process.ts'

export interface FourAppsOptions {
  network: { relayUrl: string; labelerUrl: string; plcUrl: string; handleResolverUrl: string }
  redisUrl: string
  databaseUrl: string
  schema?: string
  /** `source` needs no build. */
  form: 'source' | 'built'
  /** Further variables, such as smaller batches. */
  env?: Readonly<Record<string, string>>
}

/** What all apps are told of a network and of the servers, under the names that consumers have by default. */
export function appEnvironment({
  network,
  redisUrl,
  databaseUrl,
}: Pick<FourAppsOptions, 'network' | 'redisUrl' | 'databaseUrl'>): Record<string, string> {
  return {
    REDIS_URL: redisUrl,
    DB_POSTGRES_URL: databaseUrl,
    DID_PLC_URL: network.plcUrl,
    HANDLE_RESOLVER_URL: network.handleResolverUrl,
    MILLRACE_ALLOW_PRIVATE_HOSTS: '1',
    INGESTER_HOSTS: network.relayUrl,
    INGESTER_LABELER_HOSTS: network.labelerUrl,
    BACKFILLER_CONSUMER: 'one',
    INDEXER_CONSUMER: 'one',
    INDEXER_NOTIFICATION_HORIZON: 'all',
    // Directory, PDSs and resolver are one host here, and are asked as one.
    INDEXER_HANDLE_RATE: '1000',
    INDEXER_HANDLE_HOST_RATE: '1000',
  }
}

/** The pipeline in production form: ingester, backfiller, indexer and admin, each a process. */
export class FourApps implements AsyncDisposable {
  readonly apps: Readonly<Record<AppName, AppProcess>>
  readonly adminUrl: string

  private constructor(apps: Readonly<Record<AppName, AppProcess>>, adminUrl: string) {
    this.apps = apps
    this.adminUrl = adminUrl
  }

  static async start({
    network,
    redisUrl,
    databaseUrl,
    schema = 'bsky',
    form,
    env = {},
  }: FourAppsOptions): Promise<FourApps> {
    const adminPort = await freePort()
    const shared = {
      ...appEnvironment({ network, redisUrl, databaseUrl }),
      DB_POSTGRES_SCHEMA: schema,
      ADMIN_PORT: String(adminPort),
      ...env,
    }
    const app = (name: AppName): AppProcess => new AppProcess(name, shared, form)
    const four = new FourApps(
      { ingester: app('ingester'), backfiller: app('backfiller'), indexer: app('indexer'), admin: app('admin') },
      `http://127.0.0.1:${adminPort}`,
    )
    for (const process of Object.values(four.apps)) process.start()
    return four
  }

  /** @throws with its last words when one of them has ended by itself. */
  assertRunning(): void {
    for (const app of Object.values(this.apps))
      if (!app.isRunning) throw new Error(`${app.name} has ended:\n${app.output}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.apps).map((app) => app[Symbol.asyncDispose]()))
  }
}
