import { Secp256k1Keypair, type Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import type { LexMap } from '@atproto/lex-data'
import { TemporaryIdentityError, type DidResolution } from '@millrace/identity'
import { labelEventCodec, streams, type LabelEvent } from '@millrace/stream-protocol'
import { eventually } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import type { VerifyLabelsOptions } from './label-verifier.ts'
import { LabelerIngester } from './labeler-ingester.ts'
import { replay, startRelay, type Relay } from './test-support/relay.ts'
import { encodeFrame, now } from './test-support/repos.ts'
import { aWhile, createTestMeter, openTestStore, running, TestLedger, type TestStore } from './test-support/stores.ts'

const did = 'did:plc:labelerlabelerlabelerlab'
const stranger = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
const keypair = await Secp256k1Keypair.create()
const newKeypair = await Secp256k1Keypair.create()
const label = { ver: 1, src: did, uri: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', val: 'spam', cts: now }

/** A label as a labeler sends it; `more` travels with it and is not signed. */
async function signed(fields: LexMap = {}, by: Keypair = keypair, more: LexMap = {}): Promise<LexMap> {
  const bare = { ...label, ...fields }
  return { ...bare, ...more, sig: await by.sign(encode(bare)) }
}

/** Answers as a directory would, and counts the questions. */
class Directory {
  readonly asked: string[] = []
  answers = new Map<string, DidResolution | Error>()

  name(src: string, labelerUrl: string | undefined, labelerKey: string | undefined): void {
    const identity = { did: src, document: {}, ...(labelerUrl && { labelerUrl }), ...(labelerKey && { labelerKey }) }
    this.answers.set(src, { kind: 'found', identity })
  }

  async resolve(src: string, { fresh = false } = {}): Promise<DidResolution> {
    this.asked.push(`${fresh ? 'fresh ' : ''}${src}`)
    const answer = this.answers.get(src) ?? { kind: 'absent', tombstoned: false }
    if (answer instanceof Error) throw answer
    return answer
  }
}

interface Setting {
  relay: Relay
  store: TestStore<LabelEvent>
  directory: Directory
  ledger: TestLedger
  meter: ReturnType<typeof createTestMeter>
  ingester: LabelerIngester
  /** Values of the labels that were taken. */
  taken: () => string[]
  /** Reasons and values of those that were not. */
  refused: () => [reason: string, val: string][]
}

/** A labeler that sends these labels, one a frame, and an ingester that reads them. */
async function reading(
  labels: readonly LexMap[],
  work: (setting: Setting) => Promise<void>,
  options: Partial<VerifyLabelsOptions> & { directory?: Directory; key?: string | undefined } = {},
): Promise<void> {
  const { directory, key, ...verify } = { directory: new Directory(), key: keypair.did(), ...options }
  const frames = labels.map((label, index) => ({
    seq: index + 1,
    bytes: encodeFrame({ op: 1, t: '#labels' }, { seq: index + 1, labels: [label] }),
  }))
  await using store = await openTestStore<LabelEvent>(streams.labelLive, labelEventCodec)
  await using relay = await startRelay(replay(frames))
  if (!directory.answers.has(did)) directory.name(did, relay.host, key)
  const [ledger, meter] = [new TestLedger(), createTestMeter()]
  const ingester = new LabelerIngester({
    ...store,
    host: relay.host,
    ledger,
    meter,
    backoff: { minMs: 2, maxMs: 5 },
    verify: { resolver: directory, lookupMs: 0, refreshMs: 0, ...verify },
  })
  await using _ = running(ingester)
  await work({
    relay,
    store,
    directory,
    ledger,
    meter,
    ingester,
    taken: () => store.events.map((event) => event.label.val),
    refused: () =>
      ledger.deadLetters.map(({ reason, payload }) => [reason, (JSON.parse(payload) as LabelEvent).label.val]),
  })
}

const everythingRead = ({ ingester }: Setting, count: number) =>
  eventually(() => expect(ingester.status().lastSeq).toBe(count))

describe('a label is signed by the label key of its source (L6)', () => {
  test.each<{ name: string; label: () => Promise<LexMap> }>([
    { name: 'as it is', label: () => signed() },
    { name: 'with a negation that is present and false', label: () => signed({ neg: false }) },
    { name: 'with everything that it can have', label: () => signed({ neg: true, cid: 'bafy', exp: now }) },
    {
      name: 'without a version',
      label: async () => {
        const { ver: _, ...bare } = label
        return { ...bare, sig: await keypair.sign(encode(bare)) }
      },
    },
    {
      name: 'and what is not of its lexicon is not signed',
      label: () => signed({}, keypair, { $type: 'com.atproto.label.defs#label', weight: 3 }),
    },
  ])('$name', async ({ label }) => {
    await reading([await label()], async (setting) => {
      await everythingRead(setting, 1)
      expect(setting.taken()).toEqual(['spam'])
      expect(setting.store.events[0]?.label).not.toHaveProperty('sig')
    })
  })

  test.each<{ name: string; label: () => Promise<LexMap>; reason: string }>([
    { name: 'not at all', label: async () => label, reason: 'unsigned-label' },
    { name: 'by another key', label: () => signed({}, newKeypair), reason: 'bad-signature' },
    { name: 'as something else', label: async () => ({ ...(await signed()), val: 'rude' }), reason: 'bad-signature' },
    { name: 'before it was negated', label: async () => ({ ...(await signed()), neg: true }), reason: 'bad-signature' },
    {
      name: 'as if a field were not there',
      label: async () => ({ ...(await signed()), neg: false }),
      reason: 'bad-signature',
    },
    { name: 'by no bytes', label: async () => ({ ...label, sig: 'sig' }), reason: 'bad-signature' },
    { name: 'by too few bytes', label: async () => ({ ...label, sig: new Uint8Array(63) }), reason: 'bad-signature' },
  ])(
    'one that is signed $name is dropped, counted and kept, and the others are taken',
    async ({ label: bad, reason }) => {
      await reading([await signed({ val: 'one' }), await bad(), await signed({ val: 'two' })], async (setting) => {
        await everythingRead(setting, 3)
        expect(setting.taken()).toEqual(['one', 'two'])
        expect(setting.refused()).toMatchObject([[reason, expect.any(String)]])
        await eventually(() => expect(setting.meter.read('millrace_ingester_skipped_total', { reason })).toBe(1))
      })
    },
  )

  test('one without a signature is taken from a labeler that is known to sign nothing, a bad one is not', async () => {
    const labels = [label, await signed({ val: 'signed' }), await signed({ val: 'forged' }, newKeypair)]
    await reading(
      labels,
      async (setting) => {
        await everythingRead(setting, 3)
        expect(setting.taken()).toEqual(['spam', 'signed'])
        expect(setting.refused()).toEqual([['bad-signature', 'forged']])
      },
      { unsigned: true },
    )
  })

  test('a source without a label key signs nothing', async () => {
    await reading(
      [await signed()],
      async (setting) => {
        await everythingRead(setting, 1)
        expect(setting.refused()).toEqual([['bad-signature', 'spam']])
      },
      { key: undefined },
    )
  })
})

describe('the document of a labeler', () => {
  test('is asked for once, however many labels there are', async () => {
    await reading(await Promise.all([1, 2, 3, 4].map((n) => signed({ val: `v${n}` }))), async (setting) => {
      await everythingRead(setting, 4)
      expect(setting.directory.asked).toEqual([did])
    })
  })

  test('is read again when a signature fails: the key may be another one (L6)', async () => {
    await reading([await signed({ val: 'old' })], async (setting) => {
      await everythingRead(setting, 1)
      setting.directory.name(did, setting.relay.host, newKeypair.did())
      setting.relay.connections[0]?.socket.send(
        encodeFrame({ op: 1, t: '#labels' }, { seq: 2, labels: [await signed({ val: 'new' }, newKeypair)] }),
      )
      await everythingRead(setting, 2)
      expect(setting.taken()).toEqual(['old', 'new'])
      expect(setting.directory.asked).toEqual([did, `fresh ${did}`])
      expect(setting.refused()).toEqual([])
    })
  })

  test('is not asked for too often: until it may be, what does not hold waits, and is not judged (L6, L12)', async () => {
    await reading(
      [await signed({ val: 'forged' }, newKeypair)],
      async (setting) => {
        await everythingRead(setting, 1)
        // It may be signed by a key that is not in the document that we have just read.
        const later = await signed({ val: 'later' }, newKeypair)
        setting.relay.connections[0]?.socket.send(encodeFrame({ op: 1, t: '#labels' }, { seq: 2, labels: [later] }))
        await eventually(() => expect(setting.ingester.status().frames).toBe(2))
        await aWhile()
        expect(setting.directory.asked).toEqual([did, `fresh ${did}`])
        expect(setting.refused()).toEqual([['bad-signature', 'forged']])
        expect(setting.ingester.status().lastSeq).toBe(1)
      },
      { refreshMs: 600_000 },
    )
  })

  test('that cannot be had now holds up its labels, and loses none of them (D1, L12)', async () => {
    const directory = new Directory()
    directory.answers.set(did, new TemporaryIdentityError(did, 'plc.test'))
    await reading(
      [await signed()],
      async (setting) => {
        await eventually(() => expect(directory.asked.length).toBeGreaterThan(3))
        expect(setting.ingester.status()).toMatchObject({ lastSeq: null, frames: 1 })
        directory.name(did, setting.relay.host, keypair.did())
        await everythingRead(setting, 1)
        expect(setting.taken()).toEqual(['spam'])
        expect(setting.refused()).toEqual([])
      },
      { directory },
    )
  })
})

describe('a label is of the labeler that is subscribed to (L7)', () => {
  test.each([
    { name: 'an account that is labeler elsewhere', url: 'https://mod.example' },
    { name: 'an account that is no labeler', url: undefined },
  ])('$name has none here, however well it has signed', async ({ url }) => {
    const directory = new Directory()
    directory.name(stranger, url, keypair.did())
    await reading(
      [await signed({ src: stranger, val: 'spoofed' }), await signed()],
      async (setting) => {
        await everythingRead(setting, 2)
        expect(setting.taken()).toEqual(['spam'])
        expect(setting.refused()).toEqual([['spoofed-label', 'spoofed']])
      },
      { directory },
    )
  })

  test('an account that does not exist has none', async () => {
    await reading([await signed({ src: stranger })], async (setting) => {
      await everythingRead(setting, 1)
      expect(setting.refused()).toEqual([['spoofed-label', 'spam']])
    })
  })

  test('a stranger that nobody can find holds up nothing once the labeler is known', async () => {
    const directory = new Directory()
    directory.answers.set(stranger, new TemporaryIdentityError(stranger, 'plc.test'))
    await reading(
      [await signed({ val: 'one' }), await signed({ val: 'two' }), await signed({ src: stranger, val: 'spoofed' })],
      async (setting) => {
        await everythingRead(setting, 3)
        expect(setting.taken()).toEqual(['one', 'two'])
        expect(setting.refused()).toEqual([['spoofed-label', 'spoofed']])
      },
      { directory },
    )
  })

  test('on one machine the port of a labeler tells nothing, where that is allowed', async () => {
    for (const allowPrivateHosts of [true, false]) {
      const directory = new Directory()
      directory.name(did, 'http://localhost:40479', keypair.did())
      await reading(
        [await signed()],
        async (setting) => {
          await everythingRead(setting, 1)
          expect(setting.taken()).toHaveLength(allowPrivateHosts ? 1 : 0)
        },
        { directory, allowPrivateHosts },
      )
    }
  })
})

test('labels of one frame that are about one subject are kept apart when they are refused (G1)', async () => {
  const directory = new Directory()
  await using store = await openTestStore<LabelEvent>(streams.labelLive, labelEventCodec)
  const frame = encodeFrame(
    { op: 1, t: '#labels' },
    {
      seq: 1,
      labels: [
        { ...label, val: '' },
        { ...label, val: 'a' },
        { ...label, val: 'b' },
      ],
    },
  )
  await using relay = await startRelay(replay([{ seq: 1, bytes: frame }]))
  directory.name(did, relay.host, keypair.did())
  const ledger = new TestLedger()
  const verify = { resolver: directory, lookupMs: 0 }
  const ingester = new LabelerIngester({ ...store, host: relay.host, ledger, verify })
  await using _ = running(ingester)
  await eventually(() => expect(ingester.status().lastSeq).toBe(1))
  const at = relay.host.replace('http://', '')
  expect(ledger.deadLetters.map(({ entryId, reason }) => [entryId, reason])).toEqual([
    [`1 at ${at}`, 'bad-label'],
    [`1.1 at ${at}`, 'unsigned-label'],
    [`1.2 at ${at}`, 'unsigned-label'],
  ])
})
