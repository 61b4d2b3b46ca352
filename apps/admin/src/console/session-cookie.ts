import type { IncomingMessage } from 'node:http'
import type { Request } from 'express'

/** What the console sends with every request, and no page of another origin can without being asked about (hazard M3). */
export const CONSOLE_HEADER = 'x-millrace-console'

/** Browsers keep cookies by host, whatever the port: two admin servers of one machine do not log each other out. */
function nameOf({ socket }: IncomingMessage): string {
  return `millrace_${socket.localPort ?? 0}`
}

/** The token of a session, if it came from the console: a browser sends its cookie, and not that header, for others. */
export function sessionToken(request: IncomingMessage): string | undefined {
  if (request.headers[CONSOLE_HEADER] === undefined) return undefined
  const name = `${nameOf(request)}=`
  return request.headers.cookie
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(name))
    ?.slice(name.length)
}

/** A cookie that no script can read and no other site can have sent; without a token, one that ends it. */
export function sessionCookie(request: Request, token: string | undefined, lifetimeMs: number): string {
  // Whoever stands in front of us says so; a lie would make the cookie safer, or useless to its own browser.
  const isSecure = request.headers['x-forwarded-proto'] === 'https'
  const age = token === undefined ? 0 : Math.floor(lifetimeMs / 1_000)
  return `${nameOf(request)}=${token ?? ''}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${isSecure ? '; Secure' : ''}`
}
