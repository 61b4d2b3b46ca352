import { expect, test } from 'vitest'
import { renderAlerts } from './alerts-command.ts'
import { renderDoctor } from './doctor-command.ts'
import { renderEntries } from './entries-command.ts'
import { renderFreshness } from './freshness-command.ts'
import { renderHost, renderHosts } from './hosts-command.ts'
import { renderPauses } from './pause-commands.ts'
import { renderPending } from './pending-command.ts'
import { renderRepo, renderVerified } from './repo-report.ts'
import { renderStatus } from './status-command.ts'
import { renderTrace } from './trace-command.ts'
import { renderTrim } from './trim-command.ts'

const pause = {
  kind: 'host',
  name: 'pds.test',
  reason: 'too much',
  who: 'admin',
  since: '2026-10-24T12:00:00.000Z',
  isOver: false,
}

test('what is paused is told with until when, and how much waits for it', () => {
  expect(renderPauses({ pauses: [] })).toEqual(['Nothing is paused.'])
  const likes = { ...pause, kind: 'collection', name: 'app.bsky.feed.like', accounts: 1_200, isOver: true }
  expect(renderPauses({ pauses: [pause, likes] })).toEqual([
    'kind        name                since                 until    by     because   accounts',
    'host        pds.test            2026-10-24T12:00:00Z  resumed  admin  too much         -',
    'collection  app.bsky.feed.like  2026-10-24T12:00:00Z  over     admin  too much     1,200',
  ])
})

test('hosts say what they take, and one of them why it fails', () => {
  const host = { host: 'pds.test', streams: [], state: 'failing', perMinute: 1_200, failures: 2, failedRepos: 3 }
  expect(renderHosts({ hosts: [host], cursor: '1' })).toEqual([
    'host      state    read into  repos a minute  waits  failures  given up',
    'pds.test  failing  -                   1,200      -         2         3',
    'There are more: --after 1',
  ])
  const error = { letter: 7, reason: 'invalid-repo', error: 'no\nrepo', at: '2026-10-24T12:00:00.000Z' }
  expect(renderHost({ host, cursors: [], lastErrors: [error], openGaps: 1, pause })).toEqual([
    'pds.test: failing, about 1,200 repos a minute, 2 failures in a row, the last -',
    '  admin paused it: too much',
    '  > millrace resume pds.test --kind host',
    '  1 gaps are open: millrace gaps',
    '  3 repos were given up',
    expect.stringMatching(/^ {4}7 {2}2026-10-24T12:00:00Z {2}- {2}no\S*repo$/),
  ])
})

test('one account is told as it is kept, and as it compares with its PDS', () => {
  const did = 'did:plc:abc'
  const plain = { did, statuses: [], runs: [], records: 1_200, deadLetters: 0, pausedCollections: [] }
  expect(renderRepo({ ...plain, handle: 'alice.test', rev: '3kb' })).toEqual([
    'did:plc:abc (alice.test): 1,200 records, complete up to revision 3kb',
  ])
  const time = '2026-10-24T12:00:00.000Z'
  expect(
    renderRepo({
      ...plain,
      brokenSince: '3ka',
      hidden: 'takendown',
      statuses: [{ host: 'pds.test', active: false, status: 'takendown', time }],
      mark: { reason: 'gap', since: time, nextAt: time, attempts: 2, lastError: 'no\nrepo', reindex: true },
      runs: [{ rev: '3kc', openedAt: time, records: 7 }],
      deadLetters: 3,
      pausedCollections: ['app.bsky.feed.like'],
    }),
  ).toEqual([
    'did:plc:abc: 1,200 records, never complete',
    '  something after revision 3ka is missing',
    '  not shown to readers: takendown',
    '  pds.test says it is takendown, 2026-10-24T12:00:00Z',
    expect.stringMatching(
      /^ {2}to be fetched \(gap\) since \S+, all rows are derived anew, not before \S+, tried 2 times: no\S*repo$/,
    ),
    '  revision 3kc is being applied since 2026-10-24T12:00:00Z, 7 records',
    '  3 dead letters: millrace dlq list --did did:plc:abc',
    '  paused: app.bsky.feed.like',
  ])
  const uri = 'at://did:plc:abc/app.bsky.feed.post/1'
  const counts = { missing: 1, stale: 0, extra: 2, examples: [uri] }
  const heads = { here: { rev: '3ka' }, there: { rev: '3ka' } }
  expect(renderVerified({ did, result: 'diverged', ...heads, ...counts, command: `millrace resync ${did}` })).toEqual([
    'did:plc:abc: its PDS has other records, at the same revision',
    '  revision 3ka here, 3ka there; 1 records missing, 0 of another version, 2 too many',
    `  ${uri}`,
    `  > millrace resync ${did}`,
  ])
})

test('what is worst comes first, with what to run', () => {
  const check = (id: string, verdict: string) => ({ id, title: `${id} holds`, verdict, evidence: `saw ${id}` })
  const report = {
    checkedAt: '2026-10-24T12:00:00.000Z',
    verdict: 'fail',
    checks: [
      check('a', 'ok'),
      { ...check('b', 'warn'), meaning: 'It may.', command: 'look' },
      { ...check('c', 'fail'), meaning: 'It does.', command: 'do' },
    ],
  }
  expect(renderDoctor(report, false)).toEqual([
    'WRONG  c holds',
    '       saw c',
    '       It does.',
    '       > do',
    'look   b holds',
    '       saw b',
    '       It may.',
    '       > look',
    '',
    '1 checks are well, 1 to look at, 1 wrong.',
  ])
  expect(renderDoctor(report, true)).toContain('ok     a holds')
})

test('a trace ends in its verdict; text of the network cannot move the cursor of a terminal (M3)', () => {
  const lines = renderTrace({
    did: 'did:plc:abc',
    uri: 'at://did:plc:abc/c/r',
    handle: 'evil\u001b[2J.test',
    steps: [{ place: 'pds', outcome: 'no', detail: 'not\nthere' }],
    verdict: { code: 'missing', level: 'act', sentence: 'It is not here.', command: 'millrace resync did:plc:abc' },
  })
  expect(lines.at(-2)).toBe('missing: It is not here.')
  expect(lines.at(-1)).toBe('> millrace resync did:plc:abc')
  for (const character of ['\u001b', '\n']) expect(lines.join('')).not.toContain(character)
})

test('hours are a strip of 24 to a line, with holes named', () => {
  const start = Date.parse('2026-10-14T00:00:00Z')
  const buckets = Array.from({ length: 26 }, (_, hour) => ({
    start: new Date(start + hour * 3_600_000).toISOString(),
    rows: hour === 5 ? 0 : hour === 25 ? 0 : 1_000,
    isHole: hour === 5,
  }))
  const series = [{ collection: 'app.bsky.feed.post', newest: '2026-10-15T01:00:00.000Z', buckets }]
  expect(renderFreshness({ bucketSeconds: 3_600, bound: 1_000, series })).toEqual([
    'app.bsky.feed.post: newest 2026-10-15T01:00:00Z, 1000 or more in the fullest',
    '  2026-10-14T00:00:00Z  █████!██████████████████',
    '  2026-10-15T00:00:00Z  █·',
    '  hole: 2026-10-14T05:00:00Z, 0 rows',
    'Each sign is an hour (UTC); · has no rows, ! is a hole.',
  ])
})

test('a time without rows is no full bucket', () => {
  const bucket = { start: '2026-10-14T00:00:00.000Z', rows: 0, isHole: false }
  const series = [{ collection: 'labels', buckets: [bucket] }]
  expect(renderFreshness({ bucketSeconds: 86_400, bound: 1_000, series }).slice(0, 2)).toEqual([
    'labels: newest -, no rows in this time',
    '  2026-10-14T00:00:00Z  ·',
  ])
})

test('an entry that left its stream while it was in hand is told', () => {
  const entry = { id: '1-0', consumer: 'one', idleSeconds: 90 }
  expect(renderPending({ entries: [entry], cursor: '1-0' })).toEqual([
    'entry  consumer  about                 given out  in hand for',
    '1-0    one       GONE from the stream          -  1.5 minutes',
    'There are more: --after 1-0',
  ])
})

test('entries are shown on a line each, and a search that is not over says where to go on', () => {
  const entry = { id: '1-0', at: '2026-10-24T12:00:00.000Z', event: 'label\nx', fields: '{}' }
  expect(renderEntries({ entries: [entry] })).toEqual([
    'entry  appended              about',
    '1-0    2026-10-24T12:00:00Z  label\\nx',
  ])
  expect(renderEntries({ entries: [] })).toEqual(['There is nothing.'])
  expect(renderEntries({ entries: [], cursor: '9-0' })).toEqual(['Nothing so far.', 'There are more: --after 9-0'])
})

test('a status that has problems says where to go on', () => {
  const lines = renderStatus({
    status: 'degraded',
    checkedAt: '2026-10-24T12:00:00.000Z',
    problems: [
      {
        code: 'lag',
        severity: 'ticket',
        subject: 's g',
        since: '2026-10-24T11:00:00.000Z',
        message: 'it is\nlate',
        meaning: 'It is.',
        command: 'millrace lag',
        runbook: 'https://millrace.example/runbook#lag',
      },
    ],
    store: { kind: 'redis', location: 'redis://r' },
    streams: [],
    cursors: [],
    pauses: [{ ...pause, until: '2026-10-24T13:00:00.000Z' }],
  })
  expect(lines[4]).toBe('paused: host pds.test until 2026-10-24T13:00:00Z (too much)')
  expect(lines.slice(0, 3)).toEqual([
    'degraded: 1 to look at',
    '  ticket  lag: it is\\nlate',
    '          since 2026-10-24T11:00:00Z  > millrace lag',
  ])
  expect(lines.at(-1)).toBe('What that means, and what to do: docs/runbook.md, and millrace doctor')
})

test('alarms show what is open first, what is silenced, and who is told', () => {
  const at = '2026-10-24T12:00:00.000Z'
  const alert = {
    code: 'lag',
    severity: 'ticket',
    subject: 's g',
    state: 'pending',
    since: at,
    message: 'it is late',
    meaning: 'It is.',
    command: 'millrace lag',
    runbook: 'https://millrace.example/runbook#lag',
  }
  const open = { ...alert, code: 'store-away', severity: 'page', subject: '', state: 'open', silencedUntil: at }
  const silence = { code: 'lag', reason: 'a test', who: 'me', createdAt: at, expiresAt: at }
  expect(renderAlerts({ alerts: [alert, open], silences: [silence], webhooks: [] })).toEqual([
    'open     page    store-away: it is late',
    '                  since 2026-10-24T12:00:00Z, silenced until 2026-10-24T12:00:00Z. It is.',
    '                  > millrace lag  https://millrace.example/runbook#lag',
    'pending  ticket  lag (s g): it is late',
    '                  since 2026-10-24T12:00:00Z. It is.',
    '                  > millrace lag  https://millrace.example/runbook#lag',
    'silenced until 2026-10-24T12:00:00Z: lag, by me (a test)',
    'No webhook is told: set ADMIN_ALERT_WEBHOOKS.',
  ])
})

test('what would be dropped is told of each group, with who still reads', () => {
  const group = (name: string, loses: number, isActive: boolean) => ({ name, loses, isActive })
  const plan = { to: '7-0', until: '2026-10-24T12:00:00.000Z', hash: 'h' }
  expect(renderTrim({ plan: { ...plan, groups: [group('a', 0, true), group('b', 2_000, true)] } })).toEqual([
    'Up to 7-0 (2026-10-24T12:00:00Z):',
    '  b has not acked 2,000 entries, and one of its consumers is heard of: stop or pause it first',
    'Nothing is dropped. With --accept-loss they become dead letters and a gap.',
  ])
  expect(renderTrim({ plan: { ...plan, groups: [group('a', 0, true)] } })).toEqual([
    'Every group has acked all of it: there is nothing to drop.',
  ])
})
