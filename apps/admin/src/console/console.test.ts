import { expect, test } from 'vitest'
import { served } from '../testing/served.ts'

const ours = { 'x-millrace-console': '1' }
const json = { 'content-type': 'application/json' }
const status = '/xrpc/dev.millrace.admin.getStatus'
const change = '/xrpc/dev.millrace.admin.resyncRepos'
const dids = JSON.stringify({ dids: ['did:plc:abc'] })

type Served = Awaited<ReturnType<typeof served>>

const logIn = (admin: Served, password: unknown, headers: Record<string, string> = ours) =>
  admin.get('/console/session', {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify({ password }),
  })

/** What a browser sends once somebody has logged in. */
async function session(admin: Served, password = 'one'): Promise<{ cookie: string }> {
  const answer = await logIn(admin, password)
  expect(answer.status).toBe(204)
  return { cookie: answer.headers.get('set-cookie')!.split(';')[0]! }
}

test.each([
  ['/', 'text/html; charset=utf-8'],
  ['/console.js', 'text/javascript; charset=utf-8'],
  ['/console.css', 'text/css; charset=utf-8'],
  ['/console.svg', 'image/svg+xml'],
])('%s is served to everybody, with nothing but itself allowed in it (M3)', async (path, type) => {
  await using admin = await served({ passwords: ['one'] })
  const { status, headers, text } = await admin.get(path)
  expect([status, headers.get('content-type')]).toEqual([200, type])
  const policy = Object.fromEntries(
    headers
      .get('content-security-policy')!
      .split('; ')
      .map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1).join(' ')]),
  )
  expect(policy).toMatchObject({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
  })
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-cache',
  })
  expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org)[a-z]/)
  const unchanged = await admin.get(path, { headers: { 'if-none-match': headers.get('etag')! } })
  expect([unchanged.status, unchanged.text]).toEqual([304, ''])
})

test('the page has no script or style inline, as its policy would refuse it (M3)', async () => {
  await using admin = await served()
  const { text } = await admin.get('/')
  expect(text).toContain('<script type="module" src="/console.js"></script>')
  expect(text.match(/<script|<style| style=| on[a-z]+=/g)).toEqual(['<script'])
})

test('who has shown the password once is known by a cookie that no script reads and no other site sends (M3)', async () => {
  await using admin = await served({ passwords: ['one', 'two'] })
  expect((await admin.get('/console/session', { headers: ours })).json()).toEqual({ isAsked: true, isOpen: false })
  const answer = await logIn(admin, 'two')
  expect(answer.headers.get('set-cookie')).toMatch(
    new RegExp(`^millrace_${admin.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200$`),
  )
  const cookie = answer.headers.get('set-cookie')!.split(';')[0]!
  expect((await admin.get(status, { headers: { ...ours, cookie } })).status).toBe(200)
  expect((await admin.get('/console/session', { headers: { ...ours, cookie } })).json()).toEqual({
    isAsked: true,
    isOpen: true,
  })
})

test('behind a proxy that speaks https the cookie goes over https alone', async () => {
  await using admin = await served({ passwords: ['one'] })
  const answer = await logIn(admin, 'one', { ...ours, 'x-forwarded-proto': 'https' })
  expect(answer.headers.get('set-cookie')).toMatch(/; Secure$/)
})

test('a session that was ended, or that never was, is none', async () => {
  await using admin = await served({ passwords: ['one'] })
  const { cookie } = await session(admin)
  const ended = await admin.get('/console/session', { method: 'DELETE', headers: { ...ours, cookie } })
  expect([ended.status, ended.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')])
  for (const headers of [
    { cookie },
    { cookie: `millrace_${admin.port}=` },
    { cookie: `millrace_${admin.port}=${'A'.repeat(43)}` },
  ])
    expect((await admin.get(status, { headers: { ...ours, ...headers } })).status).toBe(401)
})

test('guessing in the form is stopped, with the right password too; who is in stays in (M2)', async () => {
  await using admin = await served({ passwords: ['one'] })
  const { cookie } = await session(admin)
  for (let guess = 0; guess < 10; guess++) {
    const refused = await logIn(admin, `${guess}`)
    expect([refused.status, refused.headers.get('set-cookie')]).toEqual([401, null])
  }
  expect((await logIn(admin, 'one')).status).toBe(429)
  expect((await admin.get(status, { headers: { ...ours, cookie } })).status).toBe(200)
})

test('a console whose session has ended guesses nothing: it shuts nobody out, and opens no dialog of the browser', async () => {
  await using admin = await served({ passwords: ['one'] })
  for (let look = 0; look < 20; look++) {
    const refused = await admin.get(status, { headers: ours })
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, null])
  }
  await session(admin)
})

test.each([
  ['no password', {}, ours],
  ['a number', { password: 1 }, ours],
  ['no word of the console', { password: 'one' }, {}],
])('a log-in with %s is refused', async (_, body, headers) => {
  await using admin = await served({ passwords: ['one'] })
  const answer = await admin.get('/console/session', {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  })
  expect([answer.status, answer.json()]).toMatchObject([400, { error: 'InvalidRequest' }])
})

test('a log-in that is no JSON, or too long, is refused without a word about what is inside', async () => {
  await using admin = await served({ passwords: ['one'] })
  const post = (body: string) => admin.get('/console/session', { method: 'POST', headers: { ...json, ...ours }, body })
  for (const body of ['{', JSON.stringify({ password: 'x'.repeat(10_000) })]) {
    const answer = await post(body)
    expect([answer.status, answer.json()]).toEqual([
      400,
      { error: 'InvalidRequest', message: 'a password is sent as JSON' },
    ])
  }
})

test('the cookie alone is not enough: what a browser sends for others changes and tells nothing (M3)', async () => {
  await using admin = await served({ passwords: ['one'] })
  const { cookie } = await session(admin)
  const ask = async (headers: Record<string, string>) =>
    (await admin.get(change, { method: 'POST', headers: { cookie, ...headers }, body: dids })).status
  // There is no database to do it in: it has come through.
  expect(await ask({ ...json, ...ours })).toBe(503)
  // A form of another site can send this much.
  expect(await ask({ 'content-type': 'text/plain' })).toBe(401)
  expect(await ask({ 'content-type': 'application/x-www-form-urlencoded' })).toBe(401)
  expect(await ask(json)).toBe(401)
  expect((await admin.get(status, { headers: { cookie } })).status).toBe(401)
})

test.each([
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['another port of the same site', { 'sec-fetch-site': 'same-site' }],
  ['another origin', { origin: 'https://evil.example' }],
  ['an origin that is hidden', { origin: 'null' }],
] as [string, Record<string, string>][])(
  'a request from %s is refused, whatever else it has (M3)',
  async (_, headers) => {
    await using admin = await served({ passwords: ['one'] })
    const { cookie } = await session(admin)
    const all = { ...json, ...ours, cookie, ...headers }
    for (const [url, init] of [
      [status, {}],
      [change, { method: 'POST', body: dids }],
      ['/console/session', { method: 'POST', body: JSON.stringify({ password: 'one' }) }],
      ['/console/session', { method: 'DELETE' }],
    ] as const)
      expect((await admin.get(url, { ...init, headers: all })).status).toBe(403)
  },
)

test('an address that somebody types, and a page of ours, are answered', async () => {
  await using admin = await served({ passwords: ['one'] })
  const { cookie } = await session(admin)
  for (const site of ['none', 'same-origin'])
    expect((await admin.get(status, { headers: { ...ours, cookie, 'sec-fetch-site': site } })).status).toBe(200)
})

test.each([['text/plain'], ['application/x-www-form-urlencoded'], ['multipart/form-data; boundary=x']])(
  'a change that comes as %s is refused, also with the password (M3)',
  async (type) => {
    await using admin = await served({ passwords: ['one'] })
    const authorization = `Basic ${Buffer.from('admin:one').toString('base64')}`
    const answer = await admin.get(change, {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body: dids,
    })
    expect([answer.status, answer.json()]).toMatchObject([400, { error: 'InvalidRequest' }])
  },
)

test('without a password there is none to be shown', async () => {
  await using admin = await served()
  expect((await admin.get('/console/session', { headers: ours })).json()).toEqual({ isAsked: false, isOpen: true })
  expect((await admin.get(status, { headers: ours })).status).toBe(200)
})
