import type { ServerResponse } from 'node:http'
import type { Account } from './account.ts'
import { cursorOf, type EventStream } from './event-stream.ts'
import { answerWithFault, type Faults } from './faults.ts'
import type { Guest, KnownAccount } from './guest.ts'
import { type Handler, LocalServer, methodOf, sendCar, sendJson, sendText, XrpcError } from './http.ts'
import { pageOf } from './pages.ts'
import type { PlcDirectory } from './plc-directory.ts'

/** What the hosts of a network look things up in. */
export interface Registry {
  accounts: readonly Account[]
  byDid: ReadonlyMap<string, Account>
  byHandle: ReadonlyMap<string, KnownAccount>
  guests: ReadonlyMap<string, Guest>
  plc: PlcDirectory
  faults: Faults
}

/** The PLC directory. */
export function servePlc({ plc, faults }: Registry, port: number): Promise<LocalServer> {
  const handle: Handler = (url, _request, response) => {
    const method = methodOf(url)
    if (method === '/_health') return sendJson(response, 200, { version: 'simulated' })
    const did = decodeURIComponent(url.pathname).split('/')[1] ?? ''
    const fault = faults.takeIdentityFault(did)
    if (fault?.type === 'stall') return undefined
    if (fault?.type === 'error') return sendJson(response, fault.status ?? 500, { message: 'Internal Server Error' })
    const log = plc.log(did)
    if (!log || fault) return sendJson(response, 404, { message: `DID not registered: ${did}` })
    switch (method) {
      case '/:did':
        return plc.isTombstone(did)
          ? sendJson(response, 410, { message: `DID not available: ${did}` })
          : sendJson(response, 200, plc.document(did), { 'content-type': 'application/did+ld+json; charset=utf-8' })
      case '/:did/data':
        return sendJson(response, 200, { did, ...plc.state(did) })
      case '/:did/log':
        return sendJson(
          response,
          200,
          log.map(({ operation }) => operation),
        )
      case '/:did/log/audit':
        return sendJson(response, 200, log)
      case '/:did/log/last':
        return sendJson(response, 200, log.at(-1)?.operation)
      default:
        return sendJson(response, 404, { message: 'Not Found' })
    }
  }
  return LocalServer.start({ port, handle })
}

/** One PDS: the repos of its accounts. `firehose` is there when it has one of its own. */
export function servePds(
  registry: Registry,
  { port, firehose }: { port: number; firehose?: EventStream | undefined },
): Promise<LocalServer> {
  let pdsUrl = ''
  const handle: Handler = async (url, request, response) => {
    const local = registry.accounts.filter((account) => account.pdsUrl === pdsUrl && account.status !== 'deleted')
    const method = methodOf(url)
    switch (method) {
      case 'com.atproto.server.describeServer':
        return sendJson(response, 200, {
          did: `did:web:${encodeURIComponent(new URL(pdsUrl).host)}`,
          availableUserDomains: ['.test'],
          inviteCodeRequired: false,
        })
      case '_health':
        return sendJson(response, 200, { version: 'simulated' })
      case '/.well-known/atproto-did': {
        const account = registry.byHandle.get(handleOf(request.headers.host))
        return account?.pdsUrl === pdsUrl
          ? sendText(response, 200, account.did)
          : sendText(response, 404, 'User not found')
      }
      case 'com.atproto.identity.resolveHandle':
        return sendJson(response, 200, resolveHandle(registry, url))
      case 'com.atproto.sync.listRepos':
        return sendJson(response, 200, listRepos(local, url))
      case 'com.atproto.sync.getRepo': {
        const account = accountOf(registry, url)
        if (account.pdsUrl !== pdsUrl) throw repoNotFound(account.did)
        const fault = registry.faults.takeRepoFault(account.did, pdsUrl)
        if (fault) return answerWithFault(fault, account, response)
        assertAvailable(account)
        return sendCar(response, await account.repo.car())
      }
      case 'com.atproto.repo.getRecord': {
        const account = registry.byDid.get(url.searchParams.get('repo') ?? '')
        if (account?.pdsUrl !== pdsUrl) throw new XrpcError(400, 'InvalidRequest', 'Could not find repo')
        return sendJson(response, 200, getRecord(account, url))
      }
      default:
        return sendJson(response, 200, repoQuery(registry, method, url))
    }
  }
  return LocalServer.start({
    port,
    handle,
    streams: firehose
      ? { 'com.atproto.sync.subscribeRepos': (socket, url) => firehose.accept(socket, cursorOf(url)) }
      : {},
  }).then((server) => {
    pdsUrl = server.url
    return server
  })
}

/** The relay: every account, and all that is published. */
export function serveRelay(
  registry: Registry,
  { port, firehose, redirectGetRepo }: { port: number; firehose: EventStream; redirectGetRepo: boolean },
): Promise<LocalServer> {
  const handle: Handler = async (url, _request, response) => {
    const method = methodOf(url)
    switch (method) {
      case '_health':
        return sendJson(response, 200, { version: 'simulated' })
      case 'com.atproto.sync.listRepos':
        return sendJson(response, 200, listRepos([...registry.guests.values(), ...registry.accounts], url))
      case 'com.atproto.sync.listReposByCollection':
        return sendJson(response, 200, listReposByCollection(registry.accounts, url))
      case 'com.atproto.sync.listHosts': {
        const hosts = new Map<string, number>()
        for (const { pdsUrl } of registry.accounts) hosts.set(pdsUrl, (hosts.get(pdsUrl) ?? 0) + 1)
        const all = [...hosts].map(([host, accountCount]) => ({
          hostname: new URL(host).host,
          seq: firehose.head,
          accountCount,
          status: 'active',
        }))
        const { items, ...rest } = pageOf(all, url, 200)
        return sendJson(response, 200, { ...rest, hosts: items })
      }
      case 'com.atproto.sync.getRepo': {
        const guest = registry.guests.get(url.searchParams.get('did') ?? '')
        if (guest) return redirect(response, url, guest.pdsUrl)
        const account = accountOf(registry, url)
        if (redirectGetRepo) return redirect(response, url, account.pdsUrl)
        const fault = registry.faults.takeRepoFault(account.did, account.pdsUrl)
        if (fault) return answerWithFault(fault, account, response)
        assertAvailable(account)
        return sendCar(response, await account.repo.car())
      }
      default:
        return sendJson(response, 200, repoQuery(registry, method, url))
    }
  }
  return LocalServer.start({
    port,
    handle,
    streams: { 'com.atproto.sync.subscribeRepos': (socket, url) => firehose.accept(socket, cursorOf(url)) },
  })
}

function redirect(response: ServerResponse, { pathname, search }: URL, host: string): void {
  response.writeHead(302, { location: `${host}${pathname}${search}` })
  response.end()
}

/** The labeler's stream of labels. */
export function serveLabeler(stream: EventStream, port: number): Promise<LocalServer> {
  const handle: Handler = (url, _request, response) => {
    if (methodOf(url) !== '_health') throw new XrpcError(501, 'MethodNotImplemented', 'Method Not Implemented')
    sendJson(response, 200, { version: 'simulated' })
  }
  return LocalServer.start({
    port,
    handle,
    streams: { 'com.atproto.label.subscribeLabels': (socket, url) => stream.accept(socket, cursorOf(url)) },
  })
}

/** Knows every handle of the network, by XRPC and by `/.well-known/atproto-did` with the handle as `Host`. */
export function serveHandles(registry: Registry, port: number): Promise<LocalServer> {
  const handle: Handler = (url, request, response) => {
    switch (methodOf(url)) {
      case 'com.atproto.identity.resolveHandle':
        return sendJson(response, 200, resolveHandle(registry, url))
      case '/.well-known/atproto-did': {
        const account = registry.byHandle.get(handleOf(request.headers.host))
        return account ? sendText(response, 200, account.did) : sendText(response, 404, 'User not found')
      }
      default:
        throw new XrpcError(501, 'MethodNotImplemented', 'Method Not Implemented')
    }
  }
  return LocalServer.start({ port, handle })
}

function repoQuery(registry: Registry, method: string, url: URL): object {
  if (method === 'com.atproto.sync.getLatestCommit') {
    const account = accountOf(registry, url)
    assertAvailable(account)
    return { cid: account.repo.head.cid.toString(), rev: account.repo.head.rev }
  }
  if (method === 'com.atproto.sync.getRepoStatus') {
    const { did, active, status, repo } = accountOf(registry, url)
    return active ? { did, active, rev: repo.head.rev } : { did, active, status }
  }
  throw new XrpcError(501, 'MethodNotImplemented', 'Method Not Implemented')
}

function getRecord(account: Account, url: URL): object {
  assertAvailable(account)
  const path = `${url.searchParams.get('collection')}/${url.searchParams.get('rkey')}`
  const uri = `at://${account.did}/${path}`
  const found = account.records().find((record) => record.uri === uri)
  if (!found) throw new XrpcError(400, 'RecordNotFound', `Could not locate record: ${uri}`)
  return { uri, cid: found.cid, value: found.record }
}

function listRepos(accounts: readonly KnownAccount[], url: URL): object {
  const { items, ...rest } = pageOf(accounts, url, 500)
  return {
    ...rest,
    repos: items.map(({ did, active, status, repo }) => ({
      did,
      head: repo.head.cid.toString(),
      rev: repo.head.rev,
      active,
      ...(!active && { status }),
    })),
  }
}

function listReposByCollection(accounts: readonly Account[], url: URL): object {
  const collection = url.searchParams.get('collection')
  if (collection === null) throw new XrpcError(400, 'InvalidRequest', 'Params must have the property "collection"')
  const having = accounts.filter(
    (account) => account.active && account.records().some(({ uri }) => uri.split('/')[3] === collection),
  )
  const { items, ...rest } = pageOf(having, url, 500)
  return { ...rest, repos: items.map(({ did }) => ({ did })) }
}

function resolveHandle({ byHandle }: Registry, url: URL): object {
  const account = byHandle.get((url.searchParams.get('handle') ?? '').toLowerCase())
  if (!account) throw new XrpcError(400, 'InvalidRequest', 'Unable to resolve handle')
  return { did: account.did }
}

function accountOf({ byDid }: Registry, url: URL): Account {
  const did = url.searchParams.get('did') ?? ''
  const account = byDid.get(did)
  if (!account) throw repoNotFound(did)
  return account
}

function assertAvailable({ did, status }: Account): void {
  if (status === 'deleted') throw repoNotFound(did)
  const errors = { deactivated: 'RepoDeactivated', takendown: 'RepoTakendown', suspended: 'RepoSuspended' }
  if (status !== 'active') throw new XrpcError(400, errors[status], `Repo has been ${status}: ${did}`)
}

function repoNotFound(did: string): XrpcError {
  return new XrpcError(400, 'RepoNotFound', `Could not find repo for DID: ${did}`)
}

/** A handle as it comes in a `Host` header, with or without port. */
function handleOf(host = ''): string {
  return (host.split(':')[0] ?? '').toLowerCase()
}
