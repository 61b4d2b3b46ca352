import type { GetLagHistoryOutput, GetLagHost } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { useAnswer } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { LineChart, type Line } from '../charts/line-chart.tsx'
import { groupLevel } from '../charts/flow.ts'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { Choice } from '../parts/choice.tsx'
import { Mark } from '../parts/mark.tsx'
import { Table } from '../parts/table.tsx'
import { amount } from '../words/amount.ts'
import { duration } from '../words/duration.ts'
import type { Level } from '../words/level.ts'

const spans = [
  { label: '30 min', value: 1_800 },
  { label: '6 h', value: 6 * 3_600 },
  { label: '24 h', value: 86_400 },
] as const

export function LagPage(): VNode {
  const now = useNow()
  const [seconds, setSeconds] = useState<number>(1_800)
  const history = useAnswer('getLagHistory', { seconds }, 5_000)
  const lag = useAnswer('getLag', {}, 30_000)
  return (
    <>
      <Card
        title="Distance to the newest"
        aside={<Choice label="Span" options={spans} value={seconds} onChange={setSeconds} />}
        note="How old the oldest event is that waits, by group. The dashed line is how far back a host can replay: what would be lost lies above it."
      >
        <Answered answer={history}>
          {(value) => {
            const lines = linesOf(value)
            return (
              <LineChart
                summary={summaryOf(value)}
                lines={lines}
                from={startOf(lines, now - seconds * 1_000, now)}
                to={now}
              />
            )
          }}
        </Answered>
      </Card>
      <Card title="Groups">
        <Answered answer={lag}>
          {({ groups }) => (
            <Table
              caption="How far each group is behind"
              rows={groups}
              keyOf={({ stream, group }) => `${stream} ${group}`}
              empty="No group reads anything yet."
              columns={[
                {
                  title: 'Group',
                  cell: (row) => (
                    <>
                      <Mark level={groupLevel({ verdict: row.verdict })} /> {row.group}
                    </>
                  ),
                },
                { title: 'Stream', cell: ({ stream }) => stream },
                { title: 'State', cell: ({ verdict }) => verdict },
                {
                  title: 'Waiting',
                  isNumber: true,
                  cell: ({ waiting }) => (waiting === undefined ? '–' : amount(waiting)),
                },
                { title: 'Behind', isNumber: true, cell: ({ behindSeconds }) => duration(behindSeconds) },
              ]}
            />
          )}
        </Answered>
      </Card>
      <Card title="Hosts" note="What we have not read is lost once its host forgets it.">
        <Answered answer={lag}>
          {({ hosts }) => (
            <Table
              caption="How long hosts keep what was not read"
              rows={hosts}
              keyOf={({ host, stream }) => `${stream} ${host}`}
              empty="No ingester has said which hosts it reads."
              columns={[
                {
                  title: 'Host',
                  cell: (row) => (
                    <>
                      <Mark level={hostLevel(row)} /> {row.host}
                    </>
                  ),
                },
                { title: 'Into', cell: ({ stream }) => stream },
                { title: 'Our place', cell: ({ position }) => places[position] ?? position },
                { title: 'Cursor', isNumber: true, cell: ({ cursor }) => cursor ?? '–' },
                {
                  title: 'Behind',
                  isNumber: true,
                  cell: ({ behindSeconds }) =>
                    behindSeconds === undefined ? 'at the newest' : duration(behindSeconds),
                },
                { title: 'Lost in', isNumber: true, cell: (row) => lossOf(row) },
                { title: 'In the rows up to', isNumber: true, cell: ({ checkpoint }) => checkpoint ?? '–' },
              ]}
            />
          )}
        </Answered>
      </Card>
    </>
  )
}

const places: Readonly<Record<string, string>> = {
  within: 'within what it keeps',
  outdated: 'before all that it keeps',
  future: 'beyond its newest',
  none: 'none yet',
  away: 'it does not answer',
}

function hostLevel({ position }: GetLagHost): Level {
  if (position === 'outdated' || position === 'future') return 'bad'
  return position === 'within' ? 'ok' : 'unknown'
}

function lossOf({ position, timeToLossSeconds }: GetLagHost): string {
  if (position === 'outdated') return 'is being lost'
  return timeToLossSeconds === undefined ? '–' : duration(timeToLossSeconds)
}

function linesOf({ groups, hosts }: GetLagHistoryOutput): Line[] {
  return [
    ...groups.map(({ stream, group, points }): Line => ({
      name: `${stream} → ${group}`,
      kind: 'measure',
      points: points.map(({ at, behindSeconds }) => ({ at: Date.parse(at), seconds: behindSeconds })),
    })),
    ...hosts
      .map(({ host, points }): Line => ({
        name: `${host} can replay`,
        kind: 'limit',
        points: points.map(({ at, windowSeconds }) => ({ at: Date.parse(at), seconds: windowSeconds })),
      }))
      .filter(({ points }) => points.length > 0),
  ]
}

/** Where nothing was seen before, nothing is drawn; but some minutes are, so that a line is one. */
function startOf(lines: readonly Line[], from: number, to: number): number {
  const first = Math.min(...lines.flatMap(({ points }) => points.slice(0, 1).map(({ at }) => at)))
  return Math.min(to - 120_000, Math.max(from, Number.isFinite(first) ? first : from))
}

function summaryOf({ groups, hosts }: GetLagHistoryOutput): string {
  const groupWords = groups.map(
    ({ stream, group, points }) => `${group} on ${stream} is ${duration(points.at(-1)?.behindSeconds ?? 0)} behind`,
  )
  const hostWords = hosts.flatMap(({ host, points }) =>
    points.length > 0 ? [`${host} can replay ${duration(points.at(-1)!.windowSeconds)}`] : [],
  )
  return [...groupWords, ...hostWords].join('; ')
}
