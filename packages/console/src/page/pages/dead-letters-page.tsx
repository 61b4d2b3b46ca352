import type { GetDeadLetterGroupsGroup } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { useAnswer } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { addressOf } from '../address.ts'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { ChangeButton } from '../parts/change-button.tsx'
import { Table } from '../parts/table.tsx'
import { amount, counted } from '../words/amount.ts'
import { ago } from '../words/duration.ts'

export function DeadLettersPage(): VNode {
  const groups = useAnswer('getDeadLetterGroups', {}, 10_000)
  return (
    <Answered answer={groups}>
      {({ groups }) =>
        groups.length === 0 ? (
          <Card>
            <p class="empty">Nothing was given up.</p>
          </Card>
        ) : (
          <>
            <p class="note">
              What was given up, like letters together. Mend the cause first: tried again without that they come back.
            </p>
            {groups.map((group) => (
              <Group key={`${group.stream} ${group.fingerprint}`} group={group} most={groups[0]!.count} />
            ))}
          </>
        )
      }
    </Answered>
  )
}

function Group({ group, most }: { group: GetDeadLetterGroupsGroup; most: number }): VNode {
  const now = useNow()
  const [isOpen, setOpen] = useState(false)
  const { stream, reason, fingerprint, count, firstAt, lastAt, error, example } = group
  return (
    <Card title={reason} aside={counted(count, 'letter')}>
      <svg class="bar" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="unread" width={(1000 * count) / Math.max(1, most)} height="6" />
      </svg>
      <p class="error-text">{error}</p>
      <p class="note">
        {stream}, the first {ago(firstAt, now)}, the last {ago(lastAt, now)}
      </p>
      <div class="buttons">
        <ChangeButton label="Try again" method="retryDeadLetters" input={{ stream, fingerprint }} isMain />
        <ChangeButton
          label="Discard"
          method="discardDeadLetters"
          input={{ stream, fingerprint }}
          confirm={({ changed }) => ({ confirm: String(changed) })}
        />
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide letters' : 'Show letters'}
        </button>
      </div>
      {isOpen && <Letters stream={stream} fingerprint={fingerprint} example={example} />}
    </Card>
  )
}

export function Letters({
  stream,
  fingerprint,
  example,
}: {
  stream: string
  fingerprint: string
  example: number
}): VNode {
  const now = useNow()
  const [shown, setShown] = useState(example)
  const letters = useAnswer('listDeadLetters', { state: 'kept', stream, fingerprint, limit: 20 }, 15_000)
  const letter = useAnswer('getDeadLetter', { id: shown }, 60_000)
  return (
    <>
      <Answered answer={letters}>
        {(value) => (
          <Table
            caption="Letters"
            rows={value.letters}
            keyOf={({ id }) => id}
            empty="They are settled."
            columns={[
              { title: 'No.', isNumber: true, cell: ({ id }) => id },
              {
                title: 'About',
                cell: ({ uri, did, host }) => {
                  const subject = uri ?? did
                  return subject === undefined ? (host ?? '–') : <a href={addressOf('trace', subject)}>{subject}</a>
                },
              },
              { title: 'Attempts', isNumber: true, cell: ({ attempts }) => amount(attempts) },
              { title: 'Last', cell: ({ lastAt }) => ago(lastAt, now) },
              {
                title: 'Payload',
                cell: ({ id }) => (
                  <button type="button" class="quiet" aria-pressed={id === shown} onClick={() => setShown(id)}>
                    Show
                  </button>
                ),
              },
            ]}
          />
        )}
      </Answered>
      <Answered answer={letter}>
        {({ payload, isCut }) => (
          <>
            <h3>Letter {shown}</h3>
            <pre class="payload" tabIndex={0}>
              {indented(payload)}
            </pre>
            {isCut && <p class="note">It was longer than what is kept of it.</p>}
          </>
        )}
      </Answered>
    </>
  )
}

function indented(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2)
  } catch {
    return payload
  }
}
