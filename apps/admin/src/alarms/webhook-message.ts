import { runbookUrl } from '@millrace/diagnosis'
import { oneLine } from '@millrace/runtime'
import type { Notice, NoticeEvent } from './due-notices.ts'

/** Discord takes 2,000 characters. */
const MAX_TEXT = 1_900
const MAX_ALERTS = 50

const signs: Readonly<Record<NoticeEvent, string>> = { open: 'ALERT', repeat: 'STILL', resolve: 'OVER' }

/** The body of a message to a webhook, by who takes it: Slack and Discord have shapes of their own. */
export function webhookMessage(url: URL, notices: readonly Notice[], { from, now }: { from: string; now: number }) {
  const text = noticesText(notices, from)
  if (/(^|\.)slack\.com$/.test(url.hostname)) return { text }
  if (/(^|\.)discord(app)?\.com$/.test(url.hostname)) return { content: text, allowed_mentions: { parse: [] } }
  return {
    version: 1,
    from,
    sentAt: new Date(now).toISOString(),
    text,
    alerts: notices.slice(0, MAX_ALERTS).map(({ event, alarm }) => ({
      event,
      code: alarm.code,
      severity: alarm.severity,
      subject: alarm.subject,
      message: alarm.message,
      meaning: alarm.meaning,
      command: alarm.command,
      since: new Date(alarm.since).toISOString(),
      ...(alarm.endedAt !== null && { endedAt: new Date(alarm.endedAt).toISOString() }),
      runbook: runbookUrl(alarm.code),
    })),
  }
}

function noticesText(notices: readonly Notice[], from: string): string {
  const lines = [`Millrace on ${plain(from)}`]
  for (const [index, { event, alarm }] of notices.entries()) {
    const about = alarm.subject === '' ? '' : ` (${plain(alarm.subject)})`
    const first = `${signs[event]} ${alarm.severity} ${alarm.code}${about}: ${plain(alarm.message)}`
    const next = event === 'resolve' ? '' : `\n    > ${plain(alarm.command)}  ${runbookUrl(alarm.code)}`
    const rest = `and ${notices.length - index} more: millrace alerts`
    if (lines.join('\n').length + first.length + next.length + rest.length + 2 > MAX_TEXT)
      return [...lines, rest].join('\n')
    lines.push(first + next)
  }
  return lines.join('\n')
}

/** Names of hosts and errors are of strangers: a chat must take none of it for a mention or a link (hazard M3). */
function plain(text: string): string {
  return oneLine(text).slice(0, 500).replaceAll('<', '‹').replaceAll('>', '›').replaceAll('@', '＠')
}
