import { cursorKey, sleep, streams } from '@millrace/stream-protocol'
import { comesTo, type NemesisCase } from '../nemesis-case.ts'

/** What the relay does, and leaves out. */
export const relayCases: readonly NemesisCase[] = [
  {
    name: 'relay-cut',
    summary: 'the firehose breaks off, ten times',
    hazards: 'I9, I10',
    async inject({ network }) {
      let cuts = 0
      for (let cut = 0; cut < 10; cut++) {
        await comesTo(() => network.relay.connections > 0, 5_000)
        cuts += network.relay.connections
        network.relay.dropConnections()
        network.labeler.dropConnections()
      }
      return cuts
    },
  },
  {
    name: 'relay-garbage',
    summary: 'frames that are none, unknown ones and error frames among the others',
    hazards: 'I11, G9',
    async inject({ network, random }) {
      for (let frame = 0; frame < 3; frame++) {
        const bytes = Uint8Array.from({ length: 1 + random.below(200) }, () => random.below(256))
        network.relay.appendRaw(bytes)
        if (frame === 1) network.relay.sendError('ConsumerTooSlow')
        await sleep(50)
      }
      return 3
    },
  },
  {
    name: 'relay-replay',
    summary: 'the cursor is set back: what was applied comes again',
    hazards: 'X7, G6',
    async inject(stage) {
      await stage.apps.ingester.stop()
      const key = cursorKey(streams.firehoseLive, stage.network.relayUrl)
      const at = Number(await stage.command('GET', key))
      await stage.command('SET', key, String(Math.max(0, at - 200)))
      stage.apps.ingester.start()
      return Math.min(at, 200)
    },
  },
  {
    name: 'relay-window',
    summary: 'the ingester is down until the relay has forgotten what it lacks',
    hazards: 'I12, O6',
    async inject(stage) {
      await stage.apps.ingester.kill()
      await stage.network.write(600)
      stage.apps.ingester.start()
      return (await comesTo(async () => {
        const { rows } = await stage.pool.query(`select from millrace_gap where reason = 'outdated-cursor'`)
        return rows.length > 0
      }))
        ? 1
        : 0
    },
  },
  {
    name: 'commits-lost',
    summary: 'the relay leaves commits out, sends some too big, some forged, some that lie, some of old form',
    hazards: 'I14-I18, G4',
    async inject({ network, random }) {
      let odd = 0
      for (const frame of [
        'omitted',
        'too-big',
        'bad-signature',
        'legacy',
        'wrong-op',
        'omitted',
        'too-big',
      ] as const) {
        const account = network.account(random.below(20))
        if (account.status !== 'active') continue
        const post = (text: string): { action: 'create'; collection: string; record: Record<string, string> } => ({
          action: 'create',
          collection: 'app.bsky.feed.post',
          record: { text, createdAt: '2025-06-01T00:00:00Z' },
        })
        await account.applyWrites([post(`${frame} ${odd}`)], { frame })
        // What comes after it does not chain.
        await account.applyWrites([post('after')])
        odd += 1
        await sleep(100)
      }
      return odd
    },
  },
]
