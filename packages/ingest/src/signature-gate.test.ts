import { Secp256k1Keypair } from '@atproto/crypto'
import { TemporaryIdentityError, type DidResolution } from '@millrace/identity'
import type { StreamEvent } from '@millrace/stream-protocol'
import { eventually } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import type { Conversion } from './conversion.ts'
import { SignatureGate, type Settled, type SignatureGateOptions } from './signature-gate.ts'
import { SignaturePool } from './signature-pool.ts'
import { alice, now } from './test-support/repos.ts'

const bob = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
const rev = '3kaaaaaaaaaaa'
const own = await Secp256k1Keypair.create()
const other = await Secp256k1Keypair.create()

/** What a frame comes to whose commit was signed by a key. */
async function signed(did: string, keypair: Secp256k1Keypair, text = 'commit'): Promise<Conversion<StreamEvent>> {
  const bytes = Buffer.from(`${text} of ${did}`)
  const event: StreamEvent = { type: 'repo', did, rev, commit: 'bafy', time: now }
  const proof = { rev, bytes, sig: await keypair.sign(bytes) }
  return { events: [event], outcome: 'appended', rejected: [], dirty: [], did, time: now, proof }
}

function identity(did: string): Conversion<StreamEvent> {
  const event: StreamEvent = { type: 'identity', seq: 1, did, time: now }
  return { events: [event], outcome: 'appended', rejected: [], dirty: [], did, time: now }
}

const found = (did: string, keypair?: Secp256k1Keypair): DidResolution => ({
  kind: 'found',
  identity: { did, document: {}, ...(keypair && { signingKey: keypair.did() }) },
})

interface Questions {
  asked: { did: string; fresh: boolean }[]
  expired: string[]
}

function openGate(
  answer: (did: string, fresh: boolean) => DidResolution | Promise<DidResolution>,
  options: Partial<SignatureGateOptions> = {},
): { gate: SignatureGate; questions: Questions } {
  const questions: Questions = { asked: [], expired: [] }
  const resolver = {
    resolve: async (did: string, { fresh = false } = {}) => {
      questions.asked.push({ did, fresh })
      return await answer(did, fresh)
    },
    expire: (did: string) => void questions.expired.push(did),
  }
  return {
    gate: new SignatureGate('relay.test', { resolver, pool: new SignaturePool({ threads: 0 }), ...options }),
    questions,
  }
}

/** Takes so many frames, waiting for them. */
async function takeAll(gate: SignatureGate, count: number): Promise<Settled[]> {
  const settled: Settled[] = []
  while (settled.length < count) {
    await gate.wait()
    settled.push(...gate.take())
  }
  return settled
}

const seqs = (settled: readonly Settled[]) => settled.map(({ seq }) => seq)
const ends = (settled: readonly Settled[]) => settled.map(({ conversion }) => conversion.reason ?? conversion.outcome)

describe('frames with signatures', () => {
  test('leave in the order of their account, and no account waits for another (I12, I13)', async () => {
    const slow = Promise.withResolvers<DidResolution>()
    const { gate, questions } = openGate((did) => (did === alice ? slow.promise : found(did, own)))
    using _ = gate
    const from = [alice, bob, alice, bob]
    for (const [index, did] of from.entries()) gate.admit(index + 1, await signed(did, own, `${index}`), 100)
    const first = await takeAll(gate, 2)
    expect([seqs(first), ends(first)]).toEqual([
      [2, 4],
      ['appended', 'appended'],
    ])
    // The cursor may not pass what waits.
    expect(gate.firstBeyond(new Set([2, 4]))).toBe(1)
    gate.done([2, 4])
    slow.resolve(found(alice, own))
    expect(seqs(await takeAll(gate, 2))).toEqual([1, 3])
    expect(gate.firstBeyond(new Set([1, 3]))).toBeUndefined()
    // A key that is known is used without asking anybody.
    gate.admit(5, await signed(bob, own), 100)
    expect(ends(await takeAll(gate, 1))).toEqual(['appended'])
    expect(questions.asked).toEqual([alice, bob].map((did) => ({ did, fresh: false })))
  })

  test('that do not hold are judged by a document that was asked for afterwards (I20)', async () => {
    const { gate, questions } = openGate((did, fresh) => found(did, fresh ? other : own))
    using _ = gate
    gate.admit(1, await signed(alice, own), 100)
    expect(ends(await takeAll(gate, 1))).toEqual(['appended'])
    gate.admit(2, await signed(alice, other), 100)
    expect(ends(await takeAll(gate, 1))).toEqual(['appended'])
    expect(questions.asked.map(({ fresh }) => fresh)).toEqual([false, true])
  })

  test('of strangers are invalid, mark the account, and change nothing for those that hold (I19, I20)', async () => {
    const { gate, questions } = openGate((did) => found(did, own))
    using _ = gate
    const keypairs = [own, other, other, own]
    for (const [index, keypair] of keypairs.entries()) gate.admit(index + 1, await signed(alice, keypair), 100)
    const settled = await takeAll(gate, 4)
    expect(seqs(settled)).toEqual([1, 2, 3, 4])
    expect(ends(settled)).toEqual(['appended', 'bad-signature', 'bad-signature', 'appended'])
    expect(settled[1]?.conversion).toMatchObject({
      outcome: 'invalid',
      events: [],
      dirty: [{ did: alice, reason: 'bad-signature', host: 'relay.test', rev }],
    })
    // However many there are that came before it, one document is enough.
    expect(questions.asked.map(({ fresh }) => fresh)).toEqual([false, true])
  })

  test('of an account without a key are invalid', async () => {
    const { gate } = openGate((did) => (did === alice ? found(did) : { kind: 'absent', tombstoned: true }))
    using _ = gate
    gate.admit(1, await signed(alice, own), 100)
    gate.admit(2, await signed(bob, own), 100)
    expect(ends(await takeAll(gate, 2))).toEqual(['no-key', 'no-key'])
  })

  test('before an identity were signed by the former key, those after it by the new one (D7)', async () => {
    let current = own
    const slow = Promise.withResolvers<void>()
    const { gate, questions } = openGate(async (did) => {
      const answer = found(did, current)
      await slow.promise
      return answer
    })
    using _ = gate
    gate.admit(1, await signed(alice, own), 100)
    gate.admit(2, identity(alice), 50)
    gate.admit(3, await signed(alice, other), 100)
    expect(questions.expired).toEqual([])
    current = other
    slow.resolve()
    const settled = await takeAll(gate, 3)
    expect([seqs(settled), ends(settled)]).toEqual([
      [1, 2, 3],
      ['appended', 'appended', 'appended'],
    ])
    expect(questions.expired).toEqual([alice])
    // One that nothing is waiting before counts at once.
    gate.admit(4, identity(bob), 50)
    expect(seqs(gate.take())).toEqual([4])
    expect(questions.expired).toEqual([alice, bob])
  })

  test('are marked to be fetched when one account has too many or too large ones (I12, G4)', async () => {
    const never = new Promise<DidResolution>(() => undefined)
    const { gate } = openGate(() => never, { maxQueued: 2, maxQueuedBytes: 1_000, maxWaiting: 4 })
    using _ = gate
    gate.admit(1, await signed(alice, own), 900)
    gate.admit(2, await signed(alice, own), 101)
    gate.admit(3, await signed(alice, own), 100)
    gate.admit(4, await signed(alice, own), 0)
    gate.admit(5, identity(alice), 0)
    const settled = gate.take()
    expect([seqs(settled), ends(settled)]).toEqual([
      [2, 4, 5],
      ['queue-full', 'queue-full', 'queue-full'],
    ])
    expect(settled.map(({ conversion }) => conversion.dirty[0]?.did)).toEqual([alice, alice, alice])
    gate.admit(6, await signed(bob, own), 0)
    gate.admit(7, await signed('did:plc:cccccccccccccccccccccccc', own), 0)
    expect(gate.take()).toEqual([])
    gate.admit(8, await signed('did:plc:dddddddddddddddddddddddd', own), 0)
    expect(ends(gate.take())).toEqual(['queue-full'])
  })

  test('are marked to be fetched when their key cannot be had in time (G4, I13)', async () => {
    const { gate } = openGate((did) => Promise.reject(new TemporaryIdentityError(did, 'plc.test')), { maxWaitMs: 40 })
    using _ = gate
    gate.admit(1, await signed(alice, own), 100)
    const settled = await takeAll(gate, 1)
    expect(ends(settled)).toEqual(['unknown-key'])
    expect(settled[0]?.conversion).toMatchObject({ outcome: 'discontinuous', dirty: [{ did: alice, rev }] })
  })

  test('wait while a directory is away, and are used when it is back (D1)', async () => {
    let isAway = true
    const { gate, questions } = openGate((did) => {
      if (isAway) throw new TemporaryIdentityError(did, 'plc.test')
      return found(did, own)
    })
    using _ = gate
    gate.admit(1, await signed(alice, own), 100)
    await eventually(() => expect(questions.asked.length).toBeGreaterThan(1))
    isAway = false
    expect(ends(await takeAll(gate, 1))).toEqual(['appended'])
  })
})

test('threads say the same of signatures as this one does', async () => {
  const conversions = await Promise.all(
    Array.from({ length: 20 }, (_, n) => signed(alice, n % 3 ? own : other, `${n}`)),
  )
  const checks = conversions.map(({ proof }) => ({ didKey: own.did(), ...proof! }))
  await using threads = new SignaturePool({ threads: 2 })
  await using here = new SignaturePool({ threads: 0 })
  const expected = checks.map((_, n) => (n % 3 ? 1 : 0))
  expect([...(await here.verify(checks))]).toEqual(expected)
  const answers = await Promise.all([checks, checks.toReversed(), []].map((some) => threads.verify(some)))
  expect(answers.map((answer) => [...answer])).toEqual([expected, expected.toReversed(), []])
})
