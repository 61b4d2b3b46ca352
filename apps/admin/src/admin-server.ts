import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createServer as createXrpcServer,
  ForbiddenError,
  InvalidRequestError,
  NotEnoughResourcesError,
  type HandlerContext,
} from '@atproto/xrpc-server'
import { readAdminLexicons } from '@millrace/admin-api/documents'
import { readConsole, type ConsoleFile } from '@millrace/console'
import { PortError, type Health } from '@millrace/runtime'
import { silentLogger, type Logger } from '@millrace/stream-protocol'
import express, { type NextFunction, type Request, type Response } from 'express'
import { FailureThrottle, isLoopback, PasswordCheck } from './access.ts'
import type { AdminSources } from './admin-sources.ts'
import { consolePages } from './console/console-pages.ts'
import { CONSOLE_HEADER, sessionToken } from './console/session-cookie.ts'
import { sessionRoutes } from './console/session-routes.ts'
import { Sessions } from './console/sessions.ts'
import { methods } from './methods/index.ts'
import { MethodError, type Caller } from './methods/method.ts'
import { refuse } from './refuse.ts'
import type { ServiceAuth } from './service-auth.ts'
import type { ServiceDidDocument } from './service-did-document.ts'

export interface AdminServerOptions {
  /** 0 takes a free one. */
  port: number
  /** Accepted passwords of the user `admin`; several, so that one can be replaced while it is in use. */
  passwords: readonly string[]
  /** Without passwords only loopback addresses are allowed (hazard M1). @default '127.0.0.1', or '0.0.0.0' with passwords */
  bind?: string
  /** Takes tokens of listed accounts, beside the passwords. */
  serviceAuth?: ServiceAuth | undefined
  /** Served to everybody at `/.well-known/did.json`. */
  didDocument?: ServiceDidDocument | undefined
  sources: AdminSources
  health: Health
  version: string
  logger?: Logger
}

export interface AdminServer extends AsyncDisposable {
  readonly port: number
  readonly bind: string
}

/** The address that a server binds to unless told otherwise. */
export function defaultBind(passwords: readonly string[]): string {
  return passwords.length > 0 ? '0.0.0.0' : '127.0.0.1'
}

/**
 * Serves the methods `dev.millrace.admin.*` over XRPC, for the user `admin` with HTTP Basic, for listed accounts with
 * tokens and for browsers with a session; and for everybody `/xrpc/_health`, the page of the console and our DID
 * document.
 * @throws {TypeError} when it would be open to the network without a password.
 * @throws {PortError} when it cannot listen.
 */
export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { port, passwords, bind = defaultBind(passwords) } = options
  if (passwords.length === 0 && !isLoopback(bind)) {
    throw new TypeError(`the admin server has no password, and so cannot be opened on ${bind}`)
  }
  const server = createHttpServer(createApp(options, await readConsole()))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new PortError(bind, port, error)))
    server.listen(port, bind, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    bind,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      // A status takes a few seconds at most.
      const timer = setTimeout(() => server.closeAllConnections(), 2_000)
      await closed
      clearTimeout(timer)
    },
  }
}

/** Of a request: the payload of a dead letter, with what JSON adds to it. */
const MOST_BYTES = 512 * 1024

function createApp(
  { passwords, serviceAuth, didDocument, sources, health, version, logger = silentLogger }: AdminServerOptions,
  files: readonly ConsoleFile[],
): express.Express {
  const log = logger.child({ component: 'admin' })
  const app = express()
  app.disable('x-powered-by')
  app.use((_request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    next()
  })
  app.use(consolePages(files))
  app.get('/xrpc/_health', async (_request, response) => {
    const { status } = await health.report()
    const isWell = status === 'ready' || status === 'degraded'
    response.status(isWell ? 200 : 503).json({ version, status })
  })
  app.get('/.well-known/did.json', (_request, response) => {
    if (didDocument) response.json(didDocument)
    else refuse(response, 404, 'NotFound', 'this server has no DID document')
  })
  // In front of everything else, so that a new method cannot be forgotten.
  app.use(refuseOtherOrigins)
  if (passwords.length > 0) {
    const guard: Guard = {
      check: new PasswordCheck(passwords),
      throttle: new FailureThrottle(),
      sessions: new Sessions(),
      log,
    }
    app.use(sessionRoutes(guard))
    app.use(requireCaller(guard, serviceAuth))
  } else {
    app.use(requireLoopbackName)
    app.get('/console/session', (_request, response) => void response.json({ isAsked: false, isOpen: true }))
  }

  app.use(createXrpc({ ...sources, logger: log }).router)
  app.use((_request, response) => refuse(response, 404, 'NotFound', 'nothing is here; methods are under /xrpc/'))
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    log.error({ err: error }, 'a request failed')
    refuse(response, 500, 'InternalServerError', 'Internal Server Error')
  })
  return app
}

function createXrpc(sources: AdminSources): ReturnType<typeof createXrpcServer> {
  const xrpc = createXrpcServer(readAdminLexicons(), { payload: { jsonLimit: MOST_BYTES } })
  for (const { name, role, run } of methods)
    xrpc.addMethod(`dev.millrace.admin.${name}`, async ({ params, input, req, res }: HandlerContext) => {
      const caller = callerOf(req, res)
      if (role === 'operator' && caller.role !== 'operator')
        throw new ForbiddenError('this account may look, and change nothing', 'Forbidden')
      const given = (input === undefined ? params : input.body) as never
      const gone = new AbortController()
      // Whoever asked has gone away, unless all was said.
      res.once('close', () => gone.abort())
      try {
        const body = await run(given, { sources, caller, signal: gone.signal })
        return { encoding: 'application/json', body }
      } catch (error) {
        if (error instanceof MethodError)
          throw error.status === 503
            ? new NotEnoughResourcesError(error.message, error.error, { cause: error })
            : new InvalidRequestError(error.message, error.error, { cause: error })
        sources.logger?.error({ err: error, method: name }, 'a method failed')
        throw error
      }
    })
  return xrpc
}

/** Whoever has the password may do everything; so may anybody on this machine where there is none. */
function callerOf(request: IncomingMessage, response: ServerResponse): Caller {
  const { locals } = response as Response
  return (
    (locals['caller'] as Caller | undefined) ?? {
      who: `admin from ${request.socket.remoteAddress ?? 'somewhere'}`,
      role: 'operator',
    }
  )
}

/**
 * A page of another origin could have a browser that knows the password ask us for a change (hazard M3). Browsers say
 * where a request comes from, in one header or the other; whoever says nothing is no browser.
 */
function refuseOtherOrigins({ headers }: Request, response: Response, next: NextFunction): void {
  const { origin, host, 'sec-fetch-site': site = 'same-origin' } = headers
  const isOurs = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)
  // `none`: somebody has typed the address.
  if (isOurs && (site === 'same-origin' || site === 'none')) return next()
  refuse(response, 403, 'Forbidden', 'requests from pages of another origin are not answered')
}

interface Guard {
  check: PasswordCheck
  throttle: FailureThrottle
  sessions: Sessions
  log: Logger
}

function requireCaller({ check, throttle, sessions, log }: Guard, serviceAuth: ServiceAuth | undefined) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const address = request.socket.remoteAddress ?? ''
    const now = Date.now()
    // Nobody can guess a token: it may be told apart, and whoever has one is not stopped because others guess.
    if (sessions.isOpen(sessionToken(request), now)) return next()
    // The right password is not told apart from a wrong one either, or guessing could go on.
    if (throttle.isBlocked(address, now)) {
      return refuse(response, 429, 'RateLimitExceeded', 'too many failed attempts, wait a minute')
    }
    const { authorization } = request.headers
    if (check.accepts(authorization)) return next()
    const caller = await serviceAuth?.callerOf(authorization, request.path.slice('/xrpc/'.length))
    if (caller) {
      response.locals['caller'] = caller
      return next()
    }
    const isConsole = request.headers[CONSOLE_HEADER] !== undefined
    // The console has a form of its own. Its session has ended, and nobody guesses.
    if (!isConsole) response.set('www-authenticate', 'Basic realm="millrace admin", charset="UTF-8"')
    if (!isConsole || authorization !== undefined) {
      throttle.failed(address, now)
      log.warn({ address }, 'a request without a valid password or token')
    }
    refuse(response, 401, 'AuthenticationRequired', 'Authentication Required')
  }
}

/** Without passwords a web page could have a browser on this machine ask us, under a name of its own (DNS rebinding). */
function requireLoopbackName(request: Request, response: Response, next: NextFunction): void {
  if (isLoopback(request.headers.host ?? '')) return next()
  refuse(response, 403, 'Forbidden', 'without ADMIN_PASSWORDS only requests to localhost are answered')
}
