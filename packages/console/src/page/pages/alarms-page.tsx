import type { ListAlertsAlert, ListAlertsSilence } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useAnswer } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { ChangeButton } from '../parts/change-button.tsx'
import { Command } from '../parts/command.tsx'
import { Mark } from '../parts/mark.tsx'
import { Table } from '../parts/table.tsx'
import { counted } from '../words/amount.ts'
import { ago, ahead } from '../words/duration.ts'
import type { Level } from '../words/level.ts'

const SILENCE_SECONDS = 4 * 3_600
/** Those that people are told of come first. */
const order = ['open', 'pending', 'ended']

export function AlarmsPage(): VNode {
  const answer = useAnswer('listAlerts', {}, 5_000)
  return (
    <Answered answer={answer}>
      {({ alerts, silences, webhooks }) => {
        const open = alerts.filter(({ state }) => state === 'open').length
        return (
          <>
            <Card
              title={open === 0 ? 'No alarm is open.' : counted(open, 'open alarm')}
              note={
                webhooks.length === 0
                  ? 'No webhook is told: ADMIN_ALERT_WEBHOOKS is not set.'
                  : `Told: ${webhooks.join(', ')}`
              }
            >
              <ul class="checks">
                {alerts
                  .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
                  .map((alert, index) => (
                    <Alarm key={`${index} ${alert.code} ${alert.subject}`} alert={alert} />
                  ))}
              </ul>
            </Card>
            <Card title="Silences" note="Webhooks are told nothing of these. Everything else goes on showing them.">
              <Silences silences={silences} />
            </Card>
          </>
        )
      }}
    </Answered>
  )
}

function Alarm({ alert }: { alert: ListAlertsAlert }): VNode {
  const now = useNow()
  const { code, subject, state, since, silencedUntil, message, meaning, command } = alert
  return (
    <li>
      <Mark level={levelOf(alert)} />
      <div>
        <strong>
          {code}
          {subject === '' ? '' : `: ${subject}`}
        </strong>
        <p>{message}</p>
        <p class="note">
          {words[state] ?? state}, first seen {ago(since, now)}
          {silencedUntil === undefined ? '' : `, silent for ${ahead(silencedUntil, now)}`}. {meaning}
        </p>
        <Command text={command} />
        {state !== 'ended' && (
          <div class="buttons">
            <ChangeButton
              label="Silence for 4 hours"
              method="silenceAlert"
              input={{ code, ...(subject !== '' && { subject }), seconds: SILENCE_SECONDS }}
              needsReason
            />
          </div>
        )}
      </div>
    </li>
  )
}

function Silences({ silences }: { silences: readonly ListAlertsSilence[] }): VNode {
  const now = useNow()
  return (
    <Table
      caption="Silences"
      rows={silences}
      keyOf={({ code, subject = '' }) => `${code} ${subject}`}
      empty="Nothing is silenced."
      columns={[
        { title: 'Alarm', cell: ({ code, subject }) => (subject === undefined ? code : `${code}: ${subject}`) },
        { title: 'By', cell: ({ who }) => who },
        { title: 'Why', cell: ({ reason }) => reason },
        { title: 'For', cell: ({ expiresAt }) => ahead(expiresAt, now) },
        {
          title: 'End',
          cell: ({ code, subject }) => (
            <ChangeButton
              label="End"
              method="unsilenceAlert"
              input={{ code, ...(subject !== undefined && { subject }) }}
            />
          ),
        },
      ]}
    />
  )
}

const words: Readonly<Record<string, string>> = {
  open: 'People are told',
  pending: 'Nobody is told before it has lasted',
  ended: 'Over',
}

function levelOf({ state, severity }: ListAlertsAlert): Level {
  if (state === 'ended') return 'ok'
  return state === 'open' && severity === 'page' ? 'bad' : 'warn'
}
