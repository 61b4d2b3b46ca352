import type { ConsoleFile } from '@millrace/console'
import { Router } from 'express'

/**
 * Scripts, styles and answers of our own origin alone, nothing inline, no frame around it, and no way for a text to
 * become markup (hazard M3).
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

/** The files of the console, for everybody: they hold no secret, and the form for the password is among them. */
export function consolePages(files: readonly ConsoleFile[]): Router {
  const router = Router()
  for (const { path, contentType, body, etag } of files)
    router.get(path, (request, response) => {
      response.set({
        'content-type': contentType,
        // Asked for again each time, and sent only when it has changed.
        'cache-control': 'no-cache',
        etag,
        'content-security-policy': policy,
        'x-frame-options': 'DENY',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      })
      if (request.headers['if-none-match'] === etag) response.status(304).end()
      else response.end(body)
    })
  return router
}
