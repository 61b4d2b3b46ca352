import type { GetStatusGroup, GetStatusStream } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useAnswer } from '../api/use-answer.ts'
import { groupLevel } from '../charts/flow.ts'
import { PositionBar } from '../charts/position-bar.tsx'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { ChangeButton } from '../parts/change-button.tsx'
import { Mark } from '../parts/mark.tsx'
import { Pauses } from '../parts/pauses.tsx'
import { Table } from '../parts/table.tsx'
import { amount, counted } from '../words/amount.ts'
import { duration } from '../words/duration.ts'

const roles = ['ingester', 'backfiller', 'indexer'] as const
const PAUSE_SECONDS = 3_600

export function StreamsPage(): VNode {
  const status = useAnswer('getStatus', {}, 4_000)
  return (
    <Answered answer={status}>
      {({ streams, store, pauses }) => (
        <>
          <p class="note">
            {store.kind} at {store.location}
          </p>
          {streams.map((stream) => (
            <Stream key={stream.name} stream={stream} />
          ))}
          {pauses && (
            <Card title="Paused" note="What stands still here loses nothing as long as there is room for what waits.">
              <Pauses pauses={pauses} />
              <div class="buttons">
                {roles.map((role) => (
                  <ChangeButton
                    key={role}
                    label={`Pause every ${role} for an hour`}
                    method="pause"
                    input={{ target: role, kind: 'role', forSeconds: PAUSE_SECONDS }}
                    needsReason
                  />
                ))}
              </div>
            </Card>
          )}
        </>
      )}
    </Answered>
  )
}

function Stream({ stream }: { stream: GetStatusStream }): VNode {
  const { name, length, groups } = stream
  return (
    <Card title={name} aside={asideOf(stream)}>
      {groups.length === 0 && <p class="empty">{length > 0 ? 'Nobody reads it.' : 'Nobody has read it yet.'}</p>}
      {groups.map((group) => (
        <Group key={group.name} stream={stream} group={group} />
      ))}
    </Card>
  )
}

function asideOf({ length, lagSeconds }: GetStatusStream): string {
  if (length === 0) return 'empty'
  const entries = counted(length, 'entry', 'entries')
  return lagSeconds < 1 ? entries : `${entries}, the oldest has waited for ${duration(lagSeconds)}`
}

function Group({ stream, group }: { stream: GetStatusStream; group: GetStatusGroup }): VNode {
  const {
    name,
    verdict = 'not watched',
    pending,
    undelivered,
    silentSeconds = 0,
    oldestPendingAgeSeconds,
    consumers,
  } = group
  return (
    <div class="group">
      <h3>
        <Mark level={groupLevel(group)} /> {name}{' '}
        <span class="quiet-text">
          {verdict}
          {silentSeconds > 0 && groupLevel(group) === 'bad' ? ` for ${duration(silentSeconds)}` : ''}
        </span>
      </h3>
      <PositionBar pending={pending} unread={undelivered ?? Math.max(0, stream.length - pending)} />
      <Table
        caption={`Consumers of ${name}`}
        rows={consumers}
        keyOf={(consumer) => consumer.name}
        empty="It has no consumer."
        columns={[
          { title: 'Consumer', cell: (consumer) => consumer.name },
          { title: 'In hand', isNumber: true, cell: (consumer) => amount(consumer.pending) },
          {
            title: 'Last heard of',
            isNumber: true,
            cell: ({ idleSeconds }) => (idleSeconds < 1 ? 'now' : `${duration(idleSeconds)} ago`),
          },
        ]}
      />
      <div class="buttons">
        <ChangeButton
          label="Pause for an hour"
          method="pause"
          input={{ target: name, kind: 'group', forSeconds: PAUSE_SECONDS }}
          needsReason
        />
      </div>
      {oldestPendingAgeSeconds !== undefined && oldestPendingAgeSeconds > 60 && (
        <p class="note">The oldest entry in hand was given out {duration(oldestPendingAgeSeconds)} ago.</p>
      )}
    </div>
  )
}
