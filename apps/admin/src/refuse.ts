import type { Response } from 'express'

/** Answers as XRPC does. */
export function refuse(response: Response, status: number, error: string, message: string): void {
  response.status(status).json({ error, message })
}
