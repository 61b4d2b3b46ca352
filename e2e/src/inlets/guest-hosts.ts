import type { Guest } from '@millrace/dev-network'
import { serve, type LocalServer } from '@millrace/testing/serve'
import type { HostileHost } from './hostile-hosts.ts'

/** A host of guests: what it serves, and how often it was asked. */
export interface GuestHost extends AsyncDisposable {
  readonly url: string
  readonly guests: Guest[]
  readonly requests: () => number
}

/** Serves the repos of guests in some way. */
export async function serveGuests(
  answer: (...args: Parameters<HostileHost['answer']>) => Promise<void>,
): Promise<GuestHost> {
  const guests: Guest[] = []
  const server: LocalServer = await serve((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const guest = guests.find(({ did }) => did === searchParams.get('did'))
    if (guest) answer(response, guest).catch(() => response.destroy())
    else response.writeHead(404).end()
  })
  return {
    url: server.url,
    guests,
    requests: () => server.asked.length,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** One host of each kind. */
export async function serveHostileGuests(
  kinds: readonly HostileHost[],
  stack: AsyncDisposableStack,
): Promise<(HostileHost & { host: GuestHost })[]> {
  const hosts = []
  for (const kind of kinds) hosts.push({ ...kind, host: stack.use(await serveGuests(kind.answer)) })
  return hosts
}
