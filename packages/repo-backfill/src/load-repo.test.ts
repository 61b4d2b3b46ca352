import { Secp256k1Keypair } from '@atproto/crypto'
import { createGuardedFetch, DidResolver } from '@millrace/identity'
import { serve, type LocalServer } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import { HostPacer } from './hosts/host-pacer.ts'
import { RepoTurns } from './hosts/repo-turns.ts'
import { loadRepo, type LoadRepoOptions } from './load-repo.ts'
import { did, makeRepo, rev, signingKey } from './testing/make-repo.ts'

const fetch = createGuardedFetch({ allowPrivateHosts: true })
const { car } = await makeRepo({ records: { 'app.bsky.feed.post/1': { text: 'a' } } })
const other = await Secp256k1Keypair.create()

interface Document {
  key?: string | undefined
  pds?: string | undefined
}

/** A directory whose document changes once, after the first answer. */
async function directory(...documents: (Document | number)[]): Promise<LocalServer> {
  return serve((_, response) => {
    const next = documents.length > 1 ? documents.shift() : documents[0]
    const { key = signingKey, pds } = typeof next === 'object' ? next : {}
    response.writeHead(typeof next === 'number' ? next : 200).end(
      JSON.stringify({
        id: did,
        verificationMethod: [{ id: '#atproto', type: 'Multikey', publicKeyMultibase: key.slice('did:key:'.length) }],
        service: pds ? [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: pds }] : [],
      }),
    )
  })
}

const good = () => serve((_, response) => response.end(car))
const answering = (status: number, error = '') =>
  serve((_, response) => response.writeHead(status).end(JSON.stringify({ error, message: '' })))

function load(host: LocalServer, plc: LocalServer, rest: Partial<LoadRepoOptions> & { rev?: string } = {}) {
  const resolver = new DidResolver({ fetch, plcUrl: plc.url, allowPrivateHosts: true, minIntervalMs: 0 })
  return loadRepo({ did, host: host.url, rev: rest.rev ?? rev }, { resolver, fetch, ...rest })
}

describe('where a repo comes from (B4)', () => {
  test('the host that listed it, if it has one that holds', async () => {
    await using host = await good()
    await using pds = await good()
    await using plc = await directory({ pds: pds.url })
    expect(await load(host, plc)).toMatchObject({ kind: 'repo', host: host.url, size: car.length, repo: { rev } })
    expect([pds.asked.length, plc.asked.length]).toEqual([0, 1])
  })

  test.each([
    { name: 'has no repos', make: () => answering(501, 'MethodNotImplemented') },
    { name: 'does not know the account', make: () => answering(400, 'RepoNotFound') },
    { name: 'is the PDS it moved away from (D9)', make: () => answering(400, 'RepoDeactivated') },
    { name: 'refuses', make: () => answering(401, 'AuthMissing') },
    { name: 'sends a page', make: () => serve((_, response) => response.end('<html>')) },
    { name: 'sends half', make: () => serve((_, response) => response.end(car.subarray(0, 300))) },
  ])('else the PDS of a fresh document: the host $name', async ({ make }) => {
    await using host = await make()
    await using pds = await good()
    await using plc = await directory({}, { pds: pds.url })
    expect(await load(host, plc)).toMatchObject({ kind: 'repo', host: pds.url })
  })

  test('a mirror that lags behind the listing is passed by, a PDS that does is an error (B9)', async () => {
    const newer = '3lqjmnw2c2k2b'
    const next = await makeRepo({ commit: { rev: newer } })
    await using mirror = await good()
    await using pds = await serve((_, response) => response.end(next.car))
    await using plc = await directory({ pds: pds.url })
    expect(await load(mirror, plc, { rev: newer })).toMatchObject({ kind: 'repo', host: pds.url, repo: { rev: newer } })
    await using same = await directory({ pds: mirror.url })
    await expect(load(mirror, same, { rev: newer })).rejects.toMatchObject({ reason: 'rolled-back' })
  })

  test('a redirect has been to the PDS already, which is not asked twice', async () => {
    await using pds = await answering(401)
    await using relay = await serve((_, response) => response.writeHead(302, { location: `${pds.url}/x` }).end())
    await using plc = await directory({ pds: pds.url })
    await expect(load(relay, plc)).rejects.toMatchObject({ reason: 'refused', host: pds.url })
    expect(pds.asked).toHaveLength(1)
  })

  test('a PDS that is left alone is not asked through a relay either', async () => {
    await using relay = await good()
    await using plc = await directory({ pds: 'http://127.0.0.1:9' })
    const pacer = new HostPacer()
    await pacer.failed('http://127.0.0.1:9', { askedAt: Date.now() })
    await using turns = new RepoTurns({ pacer, priority: 0 })
    await expect(load(relay, plc, { turns })).rejects.toMatchObject({
      name: 'HostBusyError',
      host: 'http://127.0.0.1:9',
    })
    expect(relay.asked).toEqual([])
  })

  test('hosts are asked in their turn, those that one is sent on to as well, and what they say is heard', async () => {
    await using pds = await answering(429)
    await using relay = await serve((_, response) => response.writeHead(302, { location: `${pds.url}/x` }).end())
    await using plc = await directory({ pds: pds.url })
    const pacer = new HostPacer()
    const ask = async (): Promise<unknown> => {
      await using turns = new RepoTurns({ pacer, priority: 0 })
      return await load(relay, plc, { turns })
    }
    await expect(ask()).rejects.toMatchObject({ name: 'TemporaryFetchError', host: pds.url })
    expect(pacer.waitMs(pds.url)).toBeGreaterThan(0)
    await expect(ask()).rejects.toMatchObject({ name: 'HostBusyError', host: pds.url })
    expect([relay.asked.length, pds.asked.length]).toEqual([1, 1])
  })
})

describe('accounts that are not to be seen (B5)', () => {
  test.each(['RepoTakendown', 'RepoSuspended'])(
    '%s at the listing host counts, whatever the PDS says',
    async (error) => {
      await using host = await answering(400, error)
      await using pds = await good()
      await using plc = await directory({ pds: pds.url })
      const status = error === 'RepoTakendown' ? 'takendown' : 'suspended'
      expect(await load(host, plc)).toMatchObject({ kind: 'unavailable', status, host: host.url })
    },
  )

  test('the last word on a deletion is the PDS', async () => {
    await using host = await answering(400, 'RepoNotFound')
    await using pds = await answering(400, 'RepoDeactivated')
    await using plc = await directory({ pds: pds.url })
    expect(await load(host, plc)).toMatchObject({ kind: 'unavailable', status: 'deactivated', host: pds.url })
  })

  test('an account without a PDS is what the listing host says', async () => {
    await using host = await answering(400, 'RepoNotFound')
    await using plc = await directory({})
    expect(await load(host, plc)).toMatchObject({ kind: 'unavailable', status: 'deleted', host: host.url })
  })

  test('a tombstoned DID is a deleted account, and no host is asked (D8)', async () => {
    await using host = await good()
    await using plc = await directory(410)
    expect(await load(host, plc)).toMatchObject({ kind: 'unavailable', status: 'deleted' })
    expect(host.asked).toEqual([])
  })
})

describe('the key', () => {
  test('is read again when a signature fails: it may be a new one (B19)', async () => {
    await using host = await good()
    await using plc = await directory({ key: other.did() }, { key: signingKey })
    expect(await load(host, plc)).toMatchObject({ kind: 'repo', repo: { rev } })
    expect([host.asked.length, plc.asked.length]).toEqual([1, 2])
  })

  test('is read again once only, and then the repo is judged (B19)', async () => {
    await using host = await good()
    await using plc = await directory({ key: other.did(), pds: host.url })
    await expect(load(host, plc)).rejects.toMatchObject({ reason: 'bad-signature', host: host.url })
    expect(plc.asked).toHaveLength(2)
  })

  test('that cannot be read now makes the whole repo wait', async () => {
    await using host = await good()
    await using plc = await directory({ key: other.did() }, 503)
    await expect(load(host, plc)).rejects.toMatchObject({ name: 'TemporaryIdentityError', host: plc.url })
  })

  test('that a document lacks is an error of the repo, not a status of the account (D6)', async () => {
    await using host = await good()
    await using plc = await serve((_, response) => response.end(JSON.stringify({ id: did })))
    await expect(load(host, plc)).rejects.toMatchObject({ reason: 'no-signing-key' })
  })

  test('of an unknown DID is an error', async () => {
    await using host = await good()
    await using plc = await directory(404)
    await expect(load(host, plc)).rejects.toMatchObject({ reason: 'unknown-did' })
  })
})
