import { decodeAll, encode } from '@atproto/lex-cbor'
import type { LexMap } from '@atproto/lex-data'
import { InvalidEventError, streamEventCodec, streams, type StreamEvent } from '@millrace/stream-protocol'
import { eventually } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import type { Conversion } from './conversion.ts'
import { frameToEvents, type Verify } from './convert.ts'
import { FirehoseIngester } from './firehose-ingester.ts'
import { decodeFrame } from './frame.ts'
import { SignatureGate } from './signature-gate.ts'
import { SignaturePool } from './signature-pool.ts'
import { commitOf, mutate, mutations, recordedCommits, withCommit, without } from './test-support/mutations.ts'
import { recordedFrames, recordedIdentities } from './test-support/recorded.ts'
import { startRelay } from './test-support/relay.ts'
import { commitFrame, encodeFrame } from './test-support/repos.ts'
import { createTestMeter, openTestStore, running, TestLedger } from './test-support/stores.ts'

/** A moment after the recording. */
const now = Date.parse('2026-11-23T12:00:00Z')
const host = 'relay.test'
const convert = (frame: Uint8Array, verify: Verify = 'integrity') =>
  frameToEvents(decodeFrame(frame), { host, now, verify })

describe('a recorded commit gives no event, and its account is marked (G4, G8, I19)', () => {
  // A name that stands in an object would be cut off.
  const named = mutations.map((mutation) => [mutation.name, mutation] as const)
  test.each(named)('when %s', async (_name, mutation) => {
    const { reason, outcome = 'invalid' } = mutation
    let tried = 0
    for (const recorded of recordedCommits) {
      const frame = await mutate(mutation, recorded)
      if (!frame) continue
      tried++
      const { did } = accountOf(frame)
      expect(convert(frame)).toMatchObject({ outcome, reason, events: [], dirty: [{ did, reason }] })
    }
    expect(tried).toBeGreaterThan(0)
  })

  test('when a bit of any of its blocks is flipped, or of their names (G8)', async () => {
    for (const recorded of recordedCommits) {
      const sent = Buffer.from(recorded.body.blocks)
      for (const { cid, bytes } of recorded.blocks.entries()) {
        const named = sent.indexOf(Buffer.concat([cid.bytes, bytes]))
        const content = named + cid.bytes.length
        expect(named).toBeGreaterThan(0)
        for (const at of [content - 1, content, content + bytes.length - 1]) {
          const frame = commitFrame({ ...recorded.body, blocks: sent.with(at, sent[at]! ^ 1) })
          expect(convert(frame)).toMatchObject({ outcome: 'invalid', reason: 'bad-car', events: [] })
        }
      }
    }
  })

  test('when any of its blocks was not sent, but for those that prove nothing (I18)', async () => {
    let missed = 0
    for (const recorded of recordedCommits) {
      const whole = convert(commitFrame(recorded.body))
      for (const cid of recorded.blocks.cids()) {
        const frame = await mutate({ change: () => without(recorded, cid) }, recorded)
        const result = convert(frame!)
        if (result.outcome === 'appended') expect(result).toEqual(whole)
        else {
          missed++
          const [reason, did] = ['missing-blocks', recorded.body.repo]
          expect(result).toMatchObject({ outcome: 'discontinuous', reason, events: [], dirty: [{ did, reason }] })
        }
      }
    }
    expect(missed).toBeGreaterThan(recordedCommits.length * 2)
  })

  test('when bytes follow its frame: it is no frame (I11)', () => {
    for (const { body } of recordedCommits)
      expect(() => decodeFrame(Buffer.concat([commitFrame(body), encode({})]))).toThrow(InvalidEventError)
  })
})

describe('a recorded commit whose signature does not hold is told from all others (I18, L6)', () => {
  const identities = recordedIdentities()

  /** What a frame comes to with the keys that were recorded. */
  async function judge(frame: Uint8Array): Promise<Conversion<StreamEvent>> {
    const resolver = {
      resolve: async (did: string) => ({ kind: 'found' as const, identity: identities.get(did)! }),
      expire: () => undefined,
    }
    using gate = new SignatureGate(host, { resolver, pool: new SignaturePool({ threads: 0 }) })
    gate.admit(1, convert(frame, 'signatures'), frame.length)
    await gate.wait()
    return gate.take()[0]!.conversion
  }

  const orders = {
    zQ3: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    zDn: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  }

  const forgeries: { name: string; forge: (sig: Uint8Array, did: string) => Uint8Array }[] = [
    { name: 'a bit of it is flipped', forge: (sig) => sig.with(7, sig[7]! ^ 1) },
    { name: 'its last bit is flipped', forge: (sig) => sig.with(63, sig[63]! ^ 1) },
    { name: 'it is too short', forge: (sig) => sig.subarray(1) },
    { name: 'it is empty', forge: () => new Uint8Array() },
    {
      name: 'it has the higher of its two values',
      forge: (sig, did) => {
        const order = orders[identities.get(did)!.signingKey!.slice(8, 11) as keyof typeof orders]
        const low = BigInt(`0x${Buffer.from(sig.subarray(32)).toString('hex')}`)
        return Buffer.concat([sig.subarray(0, 32), Buffer.from((order - low).toString(16).padStart(64, '0'), 'hex')])
      },
    },
    {
      name: 'it is of another commit',
      forge: (_sig, did) => commitOf(recordedCommits.find(({ body }) => body.repo !== did)!)['sig'] as Uint8Array,
    },
  ]
  test.each(forgeries)('$name', async ({ forge }) => {
    const reason = 'bad-signature'
    for (const recorded of recordedCommits.slice(0, 20)) {
      const { repo: did } = recorded.body
      const change = () =>
        withCommit(recorded, (commit) => ({ ...commit, sig: forge(commit['sig'] as Uint8Array, did) }))
      const frame = (await mutate({ change }, recorded))!
      // Everything else holds, so that nobody but the key can tell.
      expect(convert(frame)).toMatchObject({ outcome: 'appended', dirty: [] })
      expect(await judge(frame)).toMatchObject({ outcome: 'invalid', reason, events: [], dirty: [{ did, reason }] })
      expect(await judge(commitFrame(recorded.body))).toMatchObject({ outcome: 'appended', dirty: [] })
    }
  })

  test('one field of it is another than was signed', async () => {
    for (const recorded of recordedCommits.slice(0, 20)) {
      const change = () => withCommit(recorded, (commit) => ({ ...commit, prev: recorded.root }))
      const frame = (await mutate({ change }, recorded))!
      expect(await judge(frame)).toMatchObject({ outcome: 'invalid', reason: 'bad-signature', events: [] })
    }
  })
})

describe('a recorded #sync gives no event, and its account is marked (G4, I21)', () => {
  interface SyncBody {
    did: string
    rev: string
    blocks: Uint8Array
  }
  const syncs = recordedFrames('subscribeRepos').flatMap((frame) => {
    const [header, body] = [...decodeAll(frame)] as [LexMap, unknown]
    return header['t'] === '#sync' ? [body as SyncBody] : []
  })
  const wrong: { name: string; reason: string; change: (body: SyncBody) => Partial<SyncBody> }[] = [
    { name: 'of another account', reason: 'bad-commit', change: () => ({ did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }) },
    { name: 'of a stale revision', reason: 'bad-commit', change: () => ({ rev: '3aaaaaaaaaaaa' }) },
    { name: 'of the future', reason: 'future-rev', change: () => ({ rev: 'jzzzzzzzzzzzz' }) },
    { name: 'without blocks', reason: 'bad-car', change: () => ({ blocks: new Uint8Array() }) },
    { name: 'cut off', reason: 'bad-car', change: ({ blocks }) => ({ blocks: blocks.subarray(0, -1) }) },
    {
      name: 'with a flipped bit',
      reason: 'bad-car',
      change: ({ blocks }) => ({ blocks: blocks.with(blocks.length - 1, blocks.at(-1)! ^ 1) }),
    },
    {
      name: 'with the blocks of another account',
      reason: 'bad-commit',
      change: ({ did }) => ({ blocks: syncs.find((other) => other.did !== did)!.blocks }),
    },
  ]
  test.each(wrong)('$name', ({ reason, change }) => {
    expect(syncs.length).toBeGreaterThan(0)
    for (const sync of syncs) {
      const body = { ...sync, ...change(sync) }
      const dirty = [{ did: body.did, reason }]
      expect(convert(encodeFrame({ op: 1, t: '#sync' }, body))).toMatchObject({ reason, events: [], dirty })
    }
  })
})

describe('a whole recording in which commits are mutated', () => {
  test('comes to the events of all the others alone, and its chains show where they are missing (G4, I19)', async () => {
    const frames = recordedFrames('subscribeRepos')
    const mutated = new Set<number>()
    const unmutated = frames.map((frame) => convert(frame))
    for (const [turn, recorded] of recordedCommits.entries()) {
      const frame = await mutate(mutations[turn % mutations.length]!, recorded)
      if (!frame) continue
      frames[recorded.index] = frame
      mutated.add(recorded.index)
    }
    expect(mutated.size).toBeGreaterThan(recordedCommits.length / 2)
    const conversions = frames.map((frame) => convert(frame))
    const expected = unmutated.filter((_conversion, index) => !mutated.has(index))
    const eventsOf = (some: readonly Conversion<StreamEvent>[]) => some.flatMap(({ events }) => events)
    expect(eventsOf(conversions)).toEqual(eventsOf(expected))
    expect(conversions.filter(({ dirty }) => dirty.length > 0)).toHaveLength(mutated.size)
    expect(gapsOf(unmutated)).toEqual([])
    // Where the next that is heard of an account is a commit, it names the one that is missing.
    const missing = new Set<string>()
    for (const index of mutated) {
      const { did } = unmutated[index]!
      const next = unmutated.find(
        (later, at) => at > index && !mutated.has(at) && later.did === did && kindOf(later) !== 'other',
      )
      if (did !== undefined && next && kindOf(next) === 'commit') missing.add(did)
    }
    expect(missing.size).toBeGreaterThan(10)
    expect(new Set(gapsOf(conversions))).toEqual(missing)
  })

  test('is counted by its reasons, and the stream goes on behind them (G1, O1)', async () => {
    await using store = await openTestStore<StreamEvent>(streams.firehoseLive, streamEventCodec)
    const frames: Buffer[] = []
    const expected = new Map<string, number>()
    for (const mutation of mutations) {
      for (const recorded of recordedCommits) {
        const frame = await mutate(mutation, { ...recorded, body: { ...recorded.body, seq: frames.length + 1 } })
        if (!frame) continue
        frames.push(frame)
        expected.set(mutation.reason, (expected.get(mutation.reason) ?? 0) + 1)
        break
      }
    }
    const { body } = recordedCommits[0]!
    frames.push(commitFrame({ ...body, seq: frames.length + 1 }))
    await using relay = await startRelay(({ socket }) => frames.forEach((frame) => socket.send(frame)))
    const ledger = new TestLedger()
    const meter = createTestMeter()
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ledger, meter }))
    await eventually(() => expect(store.events.at(-1)).toMatchObject({ seq: frames.length }))
    expect(new Set(store.events.map(({ seq }) => seq))).toEqual(new Set([frames.length]))
    for (const [reason, count] of expected)
      expect(meter.read('millrace_ingester_skipped_total', { reason })).toBe(count)
    expect(meter.read('millrace_ingester_marks_total', { kind: 'dirty' })).toBe(mutations.length)
    expect(ledger.dirty).toHaveLength(mutations.length)
    expect(meter.read('millrace_ingester_frames_total')).toBe(frames.length)
  })
})

/** What a frame tells of a repo: a change, or the state that it is in, which follows nothing. */
function kindOf({ events: [event] }: Conversion<StreamEvent>): 'commit' | 'sync' | 'other' {
  if (!event || !('rev' in event)) return 'other'
  return event.type === 'repo' && event.sync === true ? 'sync' : 'commit'
}

/** Accounts of which a commit does not follow the one before it. */
function gapsOf(conversions: readonly Conversion<StreamEvent>[]): string[] {
  const heads = new Map<string, string>()
  const gaps: string[] = []
  for (const conversion of conversions) {
    const [event] = conversion.events
    if (!event || !('rev' in event)) continue
    if (kindOf(conversion) === 'commit' && event.since !== heads.get(event.did)) gaps.push(event.did)
    heads.set(event.did, event.rev)
  }
  return gaps
}

function accountOf(frame: Buffer): { did: string } {
  const [, body] = [...decodeAll(frame)] as [LexMap, { repo: string }]
  return { did: body.repo }
}
