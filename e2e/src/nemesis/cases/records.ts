import type { NemesisCase } from '../nemesis-case.ts'

/** What accounts write, and what becomes of them. */
export const recordCases: readonly NemesisCase[] = [
  {
    name: 'poison',
    summary: 'records that are none, in every form, among good ones',
    hazards: 'X2, F110, J4-J12',
    async inject({ network }) {
      const createdAt = '2025-06-01T00:00:00Z'
      const records = [
        { text: 'nul \u0000', createdAt },
        { text: 'half \ud83d', createdAt },
        { text: 'x'.repeat(5_000), createdAt },
        { text: 'when', createdAt: 'yesterday' },
        { text: 'type', createdAt, $type: 'app.bsky.feed.like' },
        { text: 7, createdAt },
        { text: 'deep', createdAt, embed: nested(40) },
        { text: 'proto', createdAt, ['__proto__x']: { a: 1 } },
        Uint8Array.of(0xff, 0x00, 0x12),
      ]
      const account = network.account(1)
      for (const record of records) await account.create('app.bsky.feed.post', record)
      await account.create('app.bsky.feed.like', {
        subject: { uri: `at://${account.did}/app.bsky.feed.post/${'k'.repeat(3_000)}`, cid: account.head.cid },
        createdAt,
      })
      return records.length + 1
    },
  },
  {
    name: 'accounts',
    summary: 'accounts go, come back, are taken down and deleted, while the indexers are killed',
    hazards: 'I22, I23, A6',
    async inject(stage) {
      const { network, apps } = stage
      let changes = 0
      for (const index of [20, 21]) {
        const account = network.account(index)
        if (account.status !== 'active') continue
        await account.deactivate()
        await apps.indexer.kill()
        apps.indexer.start()
        await account.reactivate()
        await account.takedown()
        await account.reactivate()
        changes += 4
      }
      const gone = network.accounts.findLast(({ status }, index) => status === 'active' && index < 20)
      await gone?.remove()
      await apps.otherIndexer.kill()
      apps.otherIndexer.start()
      return changes + (gone ? 1 : 0)
    },
  },
]

function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {}
  for (let level = 0; level < levels; level++) value = { value }
  return value
}
