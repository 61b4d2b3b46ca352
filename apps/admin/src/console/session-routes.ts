import type { Logger } from '@millrace/stream-protocol'
import express, { Router, type NextFunction, type Request, type Response } from 'express'
import type { FailureThrottle, PasswordCheck } from '../access.ts'
import { refuse } from '../refuse.ts'
import { CONSOLE_HEADER, sessionCookie, sessionToken } from './session-cookie.ts'
import type { Sessions } from './sessions.ts'

export interface SessionRoutesOptions {
  check: PasswordCheck
  throttle: FailureThrottle
  sessions: Sessions
  log: Logger
}

/** Where a browser shows a password once, and asks whether it has to. */
export function sessionRoutes({ check, throttle, sessions, log }: SessionRoutesOptions): Router {
  const router = Router()
  router.get('/console/session', (request, response) => {
    response.json({ isAsked: true, isOpen: sessions.isOpen(sessionToken(request), Date.now()) })
  })
  router.post('/console/session', express.json({ limit: '4kb' }), (request, response) => {
    const [address, now] = [request.socket.remoteAddress ?? '', Date.now()]
    if (throttle.isBlocked(address, now))
      return refuse(response, 429, 'RateLimitExceeded', 'too many failed attempts, wait a minute')
    const password = givenPassword(request)
    if (password === undefined) return refuse(response, 400, 'InvalidRequest', 'a password is sent as JSON')
    if (!check.isPassword(password)) {
      throttle.failed(address, now)
      log.warn({ address }, 'somebody gave the console a wrong password')
      return refuse(response, 401, 'AuthenticationRequired', 'This is not the password.')
    }
    response.set('set-cookie', sessionCookie(request, sessions.open(now), sessions.lifetimeMs))
    response.status(204).end()
  })
  router.delete('/console/session', (request, response) => {
    sessions.close(sessionToken(request))
    response.set('set-cookie', sessionCookie(request, undefined, sessions.lifetimeMs))
    response.status(204).end()
  })
  router.use('/console/session', refuseUnreadable)
  return router
}

/** A body that is no JSON, or too long. What is wrong with it was in the sender's hand, and is not told (hazard M8). */
function refuseUnreadable(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  const { status = 500 } = error as { status?: number }
  if (status < 500) refuse(response, 400, 'InvalidRequest', 'a password is sent as JSON')
  else next(error)
}

function givenPassword({ headers, body }: Request): string | undefined {
  if (headers[CONSOLE_HEADER] === undefined) return undefined
  const { password } = (body ?? {}) as { password?: unknown }
  return typeof password === 'string' ? password : undefined
}
