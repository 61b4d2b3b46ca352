import { AdminClient } from '@millrace/admin-api'

/** No page of another origin can send it unasked: the server takes a session from nobody who does not. */
const headers = { 'x-millrace-console': '1' }

/** The admin methods of where the page came from. */
export function consoleApi(): AdminClient {
  return new AdminClient({
    url: location.origin,
    timeoutMs: 30_000,
    fetch: (url, init) =>
      fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), ...headers } }),
  })
}

/** Whether the server asks for a password, and whether it still has to be shown. */
export async function readSession(): Promise<{ isAsked: boolean; isOpen: boolean }> {
  const response = await fetch('/console/session', { headers })
  if (!response.ok) throw new Error(`the session is answered with ${response.status}`)
  return (await response.json()) as { isAsked: boolean; isOpen: boolean }
}

/** @returns why not, in words; undefined when it is the password. */
export async function openSession(password: string): Promise<string | undefined> {
  const response = await fetch('/console/session', {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ password }),
  })
  if (response.ok) return undefined
  const { message } = (await response.json()) as { message: string }
  return message
}

export async function closeSession(): Promise<void> {
  await fetch('/console/session', { method: 'DELETE', headers })
}
