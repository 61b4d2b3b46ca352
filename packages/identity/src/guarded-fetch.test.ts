import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { serve } from '@millrace/testing'
import { MockAgent } from 'undici'
import { describe, expect, test } from 'vitest'
import { createGuardedFetch, guardedFetchOver, type AddressLookup, type GuardedFetchLimits } from './guarded-fetch.ts'
import { isPublicAddress } from './public-address.ts'

const open = createGuardedFetch({ allowPrivateHosts: true })
const resolvingTo =
  (addresses: readonly string[]): AddressLookup =>
  (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

describe('what strangers may name', () => {
  test.each([
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'not a url',
    'https://example.com:8443/',
    'https://user:secret@example.com/',
    'https://user@example.com/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.0.0.1/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.0.0.1./',
    'https://①②⑦.0.0.1/',
    'https://0.0.0.0/',
    'https://0/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://192.0.2.1/',
    'https://198.18.0.1/',
    'https://224.0.0.1/',
    'https://240.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[::1]/',
    'https://[::127.0.0.1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b:1::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:53aa:64c:0:fffe:80ff:fffe]/',
    'https://[fe80::1]/',
    'https://[fc00::1]/',
    'https://[fd12:3456::1]/',
    'https://[ff02::1]/',
    'https://[2001:db8::1]/',
    'https://[3fff::1]/',
    'https://[fec0::1]/',
    'https://[::ffff:0:7f00:1]/',
    'https://[fe80::1%25eth0]/',
    'https://192.88.99.1/',
    'https://0300.0250.0.1/',
    'https://3232235521/',
    'https://127.0.0.1%2f@example.com/',
    'https://example.com@127.0.0.1/',
    'https://[::ffff:169.254.169.254]:443/',
    '//127.0.0.1/',
  ])('%s is not asked', async (url) => {
    await expect(createGuardedFetch()(url)).rejects.toMatchObject({ name: 'BlockedHostError' })
  })

  test.each(['https://localhost/', 'https://LOCALHOST/'])(
    '%s resolves to loopback and is not asked, though its port is right',
    async (url) => {
      await expect(createGuardedFetch()(url)).rejects.toMatchObject({ name: 'BlockedHostError' })
    },
  )

  test.each([
    { why: 'private', addresses: ['10.0.0.1'] },
    { why: 'private in another spelling', addresses: ['::ffff:10.0.0.1'] },
    { why: 'public, and private as well', addresses: ['8.8.8.8', '10.0.0.1'] },
    { why: 'of one link, with a zone', addresses: ['fe80::1%eth0'] },
    { why: 'not there', addresses: [] },
  ])('a name whose addresses are $why is not asked', async ({ addresses }) => {
    const fetch = createGuardedFetch({ lookup: resolvingTo(addresses) })
    for (const url of ['https://example.com/', 'https://example.com./'])
      await expect(fetch(url)).rejects.toMatchObject({ name: 'BlockedHostError' })
  })

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fe80::1]/',
    'http://0.0.0.0/',
    'http://[::ffff:169.254.169.254]/',
    'http://224.0.0.1/',
  ])('%s is not asked where private hosts may be', async (url) => {
    await expect(open(url)).rejects.toMatchObject({ name: 'BlockedHostError' })
  })

  test('nor is a name that has such an address', async () => {
    const fetch = createGuardedFetch({ allowPrivateHosts: true, lookup: resolvingTo(['127.0.0.1', '169.254.169.254']) })
    await expect(fetch('http://metadata.example/')).rejects.toMatchObject({ name: 'BlockedHostError' })
  })

  test('a name is resolved once for each connection, so that it cannot be another one after it was judged', async () => {
    let asked = 0
    const lookup: AddressLookup = (hostname, options, callback) => {
      asked++
      resolvingTo(['127.0.0.1'])(hostname, options, callback)
    }
    const fetch = createGuardedFetch({ lookup })
    for (const times of [1, 2]) {
      await expect(fetch('https://rebinding.example/')).rejects.toMatchObject({ name: 'BlockedHostError' })
      expect(asked).toBe(times)
    }
  })

  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001::'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  )

  test.each(['', 'localhost', '1.2.3', '::ffff:8.8.8.8'])('%j is no public address', (address) =>
    expect(isPublicAddress(address)).toBe(false),
  )

  test('private hosts are asked over http on any port once they are allowed', async () => {
    await using server = await serve((_, response) => response.end('hello'))
    const response = await open(`${server.url}/a`)
    expect(await response.text()).toBe('hello')
  })

  test('credentials are never sent, not even to allowed private hosts', async () => {
    await using server = await serve((_, response) => response.end())
    await expect(open(`http://user:secret@127.0.0.1:${server.port}/`)).rejects.toMatchObject({
      name: 'BlockedHostError',
    })
    expect(server.asked).toEqual([])
  })
})

describe('redirects', () => {
  test.each([
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/',
    'http://public.example/',
    'https://public.example:8443/',
    '//127.0.0.1/',
    'https://user:secret@public.example/',
    'gopher://127.0.0.1:6379/_flushall',
    'data:,hello',
  ])('of a public host to %s are not followed', async (location) => {
    const agent = new MockAgent()
    agent.disableNetConnect()
    agent.get('https://public.example').intercept({ path: '/' }).reply(302, '', { headers: { location } })
    const fetch = guardedFetchOver(agent)
    await expect(fetch('https://public.example/')).rejects.toMatchObject({ name: 'BlockedHostError' })
  })

  test('are followed three times, and the answer says where they ended', async () => {
    await using server = await serve(({ url }, response) => {
      const left = Number(url?.slice(1))
      if (left === 0) response.end('arrived')
      else response.writeHead(302, { location: `/${left - 1}` }).end()
    })
    const response = await open(`${server.url}/3`)
    expect([response.url, await response.text()]).toEqual([`${server.url}/0`, 'arrived'])
    await expect(open(`${server.url}/4`)).rejects.toMatchObject({ name: 'ResponseLimitError', limit: 'redirects' })
  })

  test.each(['ftp://127.0.0.1/', 'http://user:secret@127.0.0.1/', 'file:///etc/passwd', 'http://'])(
    'to %s are judged like first URLs',
    async (location) => {
      await using server = await serve((_, response) => response.writeHead(307, { location }).end())
      await expect(open(server.url)).rejects.toMatchObject({ name: 'BlockedHostError' })
    },
  )
})

describe('who asks is asked himself', () => {
  test('before each request, redirects included, and told of each answer', async () => {
    await using server = await serve(({ url }, response) =>
      url === '/first' ? response.writeHead(302, { location: '/second' }).end() : response.end('arrived'),
    )
    const said: string[] = []
    const response = await open(`${server.url}/first`, {
      beforeRequest: (origin) => Promise.resolve(void said.push(`may ${origin} be asked?`)),
      onAnswer: (origin, { status }) => Promise.resolve(void said.push(`${origin} says ${status}`)),
    })
    expect(await response.text()).toBe('arrived')
    const [ask, { url }] = [`may ${server.url} be asked?`, server]
    expect(said).toEqual([ask, `${url} says 302`, ask, `${url} says 200`])
  })

  test('and may refuse, with an error of his own, before anything is asked', async () => {
    await using server = await serve((_, response) => response.end())
    const refusal = new Error('not now')
    await expect(open(server.url, { beforeRequest: () => Promise.reject(refusal) })).rejects.toBe(refusal)
    expect(server.asked).toEqual([])
  })
})

describe('limits', () => {
  test('a body of exactly the limit passes, one byte more does not', async () => {
    await using server = await serve(({ url }, response) => response.end(Buffer.alloc(Number(url?.slice(1)))))
    const fetch = createGuardedFetch({ allowPrivateHosts: true, maxBytes: 1000 })
    expect((await (await fetch(`${server.url}/1000`)).arrayBuffer()).byteLength).toBe(1000)
    const tooLong = await fetch(`${server.url}/1001`)
    await expect(tooLong.arrayBuffer()).rejects.toMatchObject({ name: 'ResponseLimitError', limit: 'bytes' })
  })

  test('compressed bodies are counted as they unfold', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000))
    await using server = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
    expect((await (await open(server.url)).arrayBuffer()).byteLength).toBe(1_000_000)
    const response = await open(server.url, { limits: { maxBytes: 100_000 } })
    await expect(response.arrayBuffer()).rejects.toMatchObject({ name: 'ResponseLimitError' })
  })

  test('a body that is compressed twice is counted as it unfolds from both', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(50_000_000)))
    expect(bomb.byteLength).toBeLessThan(10_000)
    await using server = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(bomb),
    )
    const response = await open(server.url, { limits: { maxBytes: 100_000 } })
    await expect(response.arrayBuffer()).rejects.toMatchObject({ name: 'ResponseLimitError' })
  })

  test('headers without end are cut off', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(60_000) }).end()
    })
    await expect(open(server.url)).rejects.toMatchObject({ name: 'NetworkError' })
  })

  test('a body without end is cut off at the limit', async () => {
    let sent = 0
    await using server = await serve((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024
      }
      response.on('drain', more)
      more()
    })
    const response = await open(server.url, { limits: { maxBytes: 256 * 1024 } })
    await expect(response.arrayBuffer()).rejects.toMatchObject({ name: 'ResponseLimitError' })
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  test('headers that do not come, a body that stops and one that drips are all given up as temporary', async () => {
    await using server = await serve(({ url }, response) => {
      if (url === '/headers') return
      response.write('a')
      if (url !== '/drip') return
      const drip = setInterval(() => response.write('a'), 10)
      response.on('close', () => clearInterval(drip))
    })
    const temporary = { name: 'NetworkError', code: 'TIMEOUT', origin: server.url }
    await expect(open(`${server.url}/headers`, { limits: { headersMs: 30 } })).rejects.toMatchObject(temporary)
    // Where the machine is slow its headers may come too late already.
    const textOf = async (path: string, limits: GuardedFetchLimits) =>
      (await open(server.url + path, { limits })).text()
    await expect(textOf('/idle', { idleMs: 30 })).rejects.toMatchObject(temporary)
    await expect(textOf('/drip', { timeoutMs: 100 })).rejects.toMatchObject(temporary)
  })

  test('a connection that is refused, or breaks in the middle, is temporary', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      setTimeout(() => response.destroy(), 10)
    })
    const response = await open(server.url)
    await expect(response.text()).rejects.toMatchObject({ name: 'NetworkError' })
    await server[Symbol.asyncDispose]()
    await expect(open(server.url)).rejects.toMatchObject({ name: 'NetworkError', code: 'ECONNREFUSED' })
  })

  test('aborting ends the request and the body with the reason', async () => {
    await using server = await serve(({ url }, response) => {
      if (url === '/body') response.write('a')
    })
    const reason = new Error('enough')
    const early = new AbortController()
    const asked = open(`${server.url}/headers`, { signal: early.signal })
    await wait(10)
    early.abort(reason)
    await expect(asked).rejects.toBe(reason)

    const late = new AbortController()
    const response = await open(`${server.url}/body`, { signal: late.signal })
    late.abort(reason)
    await expect(response.text()).rejects.toBe(reason)
  })
})
