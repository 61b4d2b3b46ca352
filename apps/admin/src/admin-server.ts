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
import { PortError, type Health } from '@millrace/runtime'
import { silentLogger, type Logger } from '@millrace/stream-protocol'
import express, { type NextFunction, type Request, type Response } from 'express'
import { FailureThrottle, isLoopback, PasswordCheck } from './access.ts'
import type { AdminSources } from './admin-sources.ts'
import { methods } from './methods/index.ts'
import { MethodError, type Caller } from './methods/method.ts'
import type { ServiceAuth } from './service-auth.ts'

export interface AdminServerOptions {
  /** 0 takes a free one. */
  port: number
  /** Accepted passwords of the user `admin`; several, so that one can be replaced while it is in use. */
  passwords: readonly string[]
  /** Without passwords only loopback addresses are allowed (hazard M1). @default '127.0.0.1', or '0.0.0.0' with passwords */
  bind?: string
  /** Takes tokens of listed accounts, beside the passwords. */
  serviceAuth?: ServiceAuth | undefined
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
 * Serves the methods `dev.millrace.admin.*` over XRPC, for the user `admin` with HTTP Basic and for listed accounts with
 * tokens, and `/xrpc/_health` for everybody.
 * @throws {TypeError} when it would be open to the network without a password.
 * @throws {PortError} when it cannot listen.
 */
export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { port, passwords, bind = defaultBind(passwords) } = options
  if (passwords.length === 0 && !isLoopback(bind)) {
    throw new TypeError(`the admin server has no password, and so cannot be opened on ${bind}`)
  }
  const server = createHttpServer(createApp(options))
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

function createApp({
  passwords,
  serviceAuth,
  sources,
  health,
  version,
  logger = silentLogger,
}: AdminServerOptions): express.Express {
  const log = logger.child({ component: 'admin' })
  const app = express()
  app.disable('x-powered-by')
  app.use((_request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    next()
  })
  app.get('/', (_request, response) => {
    response
      .type('text/plain')
      .send(`Millrace admin ${version}\n\nMethods are under /xrpc/, see dev.millrace.admin.*\n`)
  })
  app.get('/xrpc/_health', async (_request, response) => {
    const { status } = await health.report()
    const isWell = status === 'ready' || status === 'degraded'
    response.status(isWell ? 200 : 503).json({ version, status })
  })
  // In front of everything else, so that a new method cannot be forgotten.
  app.use(passwords.length > 0 ? requireCaller(passwords, serviceAuth, log) : requireLoopbackName)

  app.use(refuseOtherOrigins)
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

/** A page of another origin could have a browser that knows the password ask us for a change (hazard M3). */
function refuseOtherOrigins({ headers }: Request, response: Response, next: NextFunction): void {
  const { origin, host } = headers
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return next()
  refuse(response, 403, 'Forbidden', 'requests from pages of another origin are not answered')
}

function requireCaller(passwords: readonly string[], serviceAuth: ServiceAuth | undefined, log: Logger) {
  const check = new PasswordCheck(passwords)
  const throttle = new FailureThrottle()
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const address = request.socket.remoteAddress ?? ''
    const now = Date.now()
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
    throttle.failed(address, now)
    log.warn({ address }, 'a request without a valid password or token')
    response.set('www-authenticate', 'Basic realm="millrace admin", charset="UTF-8"')
    refuse(response, 401, 'AuthenticationRequired', 'Authentication Required')
  }
}

/** Without passwords a web page could have a browser on this machine ask us, under a name of its own (DNS rebinding). */
function requireLoopbackName(request: Request, response: Response, next: NextFunction): void {
  if (isLoopback(request.headers.host ?? '')) return next()
  refuse(response, 403, 'Forbidden', 'without ADMIN_PASSWORDS only requests to localhost are answered')
}

function refuse(response: Response, status: number, error: string, message: string): void {
  response.status(status).json({ error, message })
}
