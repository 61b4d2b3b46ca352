import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { EventStream } from './event-stream.ts'
import type { IdentityFault, RepoFault } from './faults.ts'
import { LocalServer, sendJson, XrpcError } from './http.ts'
import type { SimulatedNetwork } from './simulated-network.ts'

/** What can be wrong: with a repo, with a DID document, or with the connections to a stream. */
export type FaultName = RepoFault['type'] | `identity-${IdentityFault['type']}` | 'hold' | 'drop'

/** A fault, as it is asked for from outside the process. */
export interface FaultRequest {
  /** A DID or a handle, the URL of a PDS, `relay` or `labeler`. */
  target: string
  fault: FaultName
  /** Requests that it spoils; all of them when it is undefined. */
  times?: number | undefined
  /** HTTP status of `error`. */
  status?: number | undefined
  /** Of `throttled`. */
  retryAfterSeconds?: number | undefined
  /** Of `cut` and `stall`: so many go well. */
  bytes?: number | undefined
}

/** A fault, and how often it still strikes. */
export interface ListedFault {
  target: string
  fault: FaultName
  /** Absent when it lasts until it is cleared. */
  left?: number
}

/** Faults that are switched on. */
export interface FaultList {
  faults: ListedFault[]
  /** PDSs of the network. */
  hosts: readonly string[]
}

/** A server that switches faults, until it is disposed of. */
export interface FaultControl extends AsyncDisposable {
  readonly url: string
  /** Has to come with every request, as a bearer token: a page in a browser on this machine has not got it. */
  readonly token: string
}

/** Lets others on this machine see and change the faults of a network while it runs. */
export async function startFaultControl(network: SimulatedNetwork): Promise<FaultControl> {
  const token = randomBytes(24).toString('base64url')
  const expected = Buffer.from(`Bearer ${token}`)
  const server = await LocalServer.start({
    async handle(url, request, response) {
      const given = Buffer.from(request.headers.authorization ?? '')
      if (given.length !== expected.length || !timingSafeEqual(given, expected))
        throw new XrpcError(401, 'AuthenticationRequired', 'Authentication Required')
      if (url.pathname !== '/faults') throw new XrpcError(404, 'NotFound', 'faults are at /faults')
      if (request.method === 'POST') setFault(network, await readRequest(request))
      else if (request.method === 'DELETE') clearFaults(network, url.searchParams.get('target') ?? undefined)
      else if (request.method !== 'GET') throw new XrpcError(405, 'InvalidRequest', 'GET, POST and DELETE are known')
      sendJson(response, 200, listFaults(network))
    },
  })
  return { url: server.url, token, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

function listFaults(network: SimulatedNetwork): FaultList {
  const held = streamNames.filter((name) => network[name].heldAfter !== undefined)
  return {
    faults: [
      ...network.faults.list().map(({ didOrHost, of, fault, left }) => ({
        target: didOrHost,
        fault: (of === 'identity' ? `identity-${fault.type}` : fault.type) as FaultName,
        ...(Number.isFinite(left) && { left }),
      })),
      ...held.map((target) => ({ target, fault: 'hold' as const })),
    ],
    hosts: network.pdsUrls,
  }
}

const streamNames = ['relay', 'labeler'] as const

function streamOf(network: SimulatedNetwork, target: string): EventStream | undefined {
  const name = streamNames.find((each) => each === target)
  return name && network[name]
}

function setFault(network: SimulatedNetwork, request: FaultRequest): void {
  const { fault, times } = request
  const stream = streamOf(network, request.target)
  if (stream) {
    if (times !== undefined) throw refused(`${fault} of a stream is not counted in times`)
    if (fault === 'hold') return stream.hold()
    if (fault === 'drop') return stream.dropConnections()
    throw refused(`a stream can hold or drop, and not ${fault}`)
  }
  const target = targetOf(network, request.target)
  const identity = identityFault(request)
  if (identity) {
    if (!target.startsWith('did:')) throw refused(`${fault} is of an account, and not of a host`)
    return network.faults.identity(target, identity, { times })
  }
  network.faults.getRepo(target, repoFault(request), { times })
}

function clearFaults(network: SimulatedNetwork, target: string | undefined): void {
  const streams = target === undefined ? streamNames.map((name) => network[name]) : [streamOf(network, target)]
  for (const stream of streams) stream?.release()
  if (target === undefined) network.faults.clear()
  else if (!streams[0]) network.faults.clear(targetOf(network, target))
}

/** The DID or the URL that a target means. */
function targetOf(network: SimulatedNetwork, text: string): string {
  const host = network.pdsUrls.find((url) => url === text.replace(/\/$/, '') || new URL(url).host === text)
  if (host !== undefined) return host
  const account = network.accounts.find(({ did, handle }) => did === text || handle === text.toLowerCase())
  if (!account) throw refused(`${text} is no account or PDS of this network`)
  return account.did
}

function identityFault({ fault, status }: FaultRequest): IdentityFault | undefined {
  if (fault === 'identity-not-found') return { type: 'not-found' }
  if (fault === 'identity-stall') return { type: 'stall' }
  return fault === 'identity-error' ? { type: 'error', ...(status !== undefined && { status }) } : undefined
}

function repoFault({ fault, status, retryAfterSeconds, bytes = 0 }: FaultRequest): RepoFault {
  switch (fault) {
    case 'not-found':
    case 'deactivated':
    case 'takendown':
    case 'suspended':
    case 'error':
      return { type: fault, ...(status !== undefined && { status }) }
    case 'throttled':
      return { type: fault, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
    case 'cut':
    case 'stall':
      return { type: fault, afterBytes: bytes }
    case 'corrupt-block':
    case 'other-key':
    case 'other-did':
      return { type: fault }
    case 'identity-not-found':
    case 'identity-error':
    case 'identity-stall':
    case 'hold':
    case 'drop':
    // Others come from outside: any word may stand there.
    default:
      throw refused(`an account or a PDS has no fault ${fault}`)
  }
}

const numbers = { times: 1, status: 400, retryAfterSeconds: 0, bytes: 0 } as const

async function readRequest(request: IncomingMessage): Promise<FaultRequest> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) {
    text += String(part)
    if (text.length > 10_000) throw refused('that is too long')
  }
  const given = parse(text)
  const { target, fault } = given
  if (typeof target !== 'string' || typeof fault !== 'string') throw refused('a target and a fault are needed')
  for (const [name, least] of Object.entries(numbers)) {
    const number = given[name]
    if (number !== undefined && !(Number.isSafeInteger(number) && (number as number) >= least))
      throw refused(`${name} is a whole number from ${least}`)
  }
  if (given['status'] !== undefined && (given['status'] as number) > 599) throw refused('status is at most 599')
  return given as unknown as FaultRequest
}

function parse(text: string): Record<string, unknown> {
  try {
    const given: unknown = JSON.parse(text)
    if (typeof given === 'object' && given !== null) return given as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw refused('that is no JSON object')
}

function refused(message: string): XrpcError {
  return new XrpcError(400, 'InvalidRequest', message)
}
