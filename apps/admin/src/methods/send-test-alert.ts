import os from 'node:os'
import type { Notice } from '../alarms/due-notices.ts'
import { webhookMessage } from '../alarms/webhook-message.ts'
import { audited } from './audited.ts'
import { defineMethod, noChange, wouldChange } from './method.ts'

export const sendTestAlert = defineMethod({
  name: 'sendTestAlert',
  role: 'operator',
  run: async ({ reason, dryRun = false }, context) => {
    const { webhooks = [] } = context.sources
    if (webhooks.length === 0)
      return { change: noChange('no webhook is configured (ADMIN_ALERT_WEBHOOKS)', dryRun), deliveries: [] }
    const names = webhooks.map(({ name }) => name).join(', ')
    if (dryRun) return { change: wouldChange(webhooks.length, `a test would be sent to ${names}`), deliveries: [] }
    const now = Date.now()
    let deliveries: { webhook: string; isDelivered: boolean; why?: string }[] = []
    const change = await audited(context, { method: 'sendTestAlert', target: names, reason }, async () => {
      deliveries = await Promise.all(
        webhooks.map(async (webhook) => {
          const message = webhookMessage(webhook.url, [testNotice(context.caller.who, now)], {
            from: os.hostname(),
            now,
          })
          const delivery = await webhook.send(message)
          return {
            webhook: webhook.name,
            isDelivered: delivery.isDelivered,
            ...(!delivery.isDelivered && { why: delivery.why }),
          }
        }),
      )
      const changed = deliveries.filter(({ isDelivered }) => isDelivered).length
      return { changed, summary: `${changed} of ${webhooks.length} webhooks have taken a test` }
    })
    return { change, deliveries }
  },
})

function testNotice(who: string, now: number): Notice {
  return {
    event: 'open',
    alarm: {
      code: 'watchdog',
      subject: '',
      severity: 'ticket',
      message: `this is a test by ${who}`,
      meaning: 'Nothing is wrong: alarms arrive here.',
      command: 'millrace alerts',
      since: now,
      seenAt: now,
      openedAt: now,
      endedAt: null,
      told: {},
    },
  }
}
