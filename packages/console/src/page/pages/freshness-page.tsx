import type { GetFreshnessSeries } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { useAnswer } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { addressOf } from '../address.ts'
import { Heatmap } from '../charts/heatmap.tsx'
import { holesOf } from '../charts/heatmap-days.ts'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { Choice } from '../parts/choice.tsx'
import { Mark } from '../parts/mark.tsx'
import { counted } from '../words/amount.ts'
import { ago, duration } from '../words/duration.ts'

const spans = [
  { label: '1 day', value: 1 },
  { label: '3 days', value: 3 },
  { label: '10 days', value: 10 },
] as const

export function FreshnessPage(): VNode {
  const now = useNow()
  const [days, setDays] = useState<number>(3)
  // Of a full hour, so that the question stays the same for as long.
  const hour = Math.floor(now / 3_600_000) * 3_600_000
  const since = useMemo(() => new Date(hour - days * 86_400_000).toISOString(), [hour, days])
  const freshness = useAnswer('getFreshness', { since, bucket: 'hour' }, 15_000)
  return (
    <>
      <Card
        title="Rows of each hour"
        aside={<Choice label="Span" options={spans} value={days} onChange={setDays} />}
        note="By the time that readers sort on, in UTC. An hour with hardly any, between others that have many, is a hole."
      >
        <ul class="shades" aria-hidden="true">
          <li>fewer</li>
          {[1, 2, 3, 4, 5].map((shade) => (
            <li key={shade}>
              <svg viewBox="0 0 16 16" class="heat">
                <rect class={`shade-${shade}`} width="16" height="16" rx="3" />
              </svg>
            </li>
          ))}
          <li>more</li>
          <li>
            <svg viewBox="0 0 16 16" class="heat">
              <rect class="shade-0 hole" x="1" y="1" width="14" height="14" rx="3" />
            </svg>
          </li>
          <li>a hole</li>
        </ul>
      </Card>
      <Answered answer={freshness}>
        {({ series, bucketSeconds, bound }) =>
          series.map((each) => (
            <Card
              key={each.collection}
              title={each.collection}
              aside={each.newest === undefined ? 'no rows' : `newest row ${ago(each.newest, now)}`}
            >
              {each.newest === undefined ? (
                <p class="empty">There are no rows of it.</p>
              ) : (
                <>
                  <Holes series={each} bucketSeconds={bucketSeconds} />
                  <Heatmap name={each.collection} buckets={each.buckets} bound={bound} />
                </>
              )}
            </Card>
          ))
        }
      </Answered>
    </>
  )
}

function Holes({ series, bucketSeconds }: { series: GetFreshnessSeries; bucketSeconds: number }): VNode {
  const holes = holesOf(series.buckets, bucketSeconds)
  if (holes.length === 0) {
    // Where most hours are empty nobody can say of one that it should not be.
    const isSparse = series.buckets.filter(({ rows }) => rows > 0).length < series.buckets.length / 2
    return (
      <p class="said">
        <Mark level={isSparse ? 'unknown' : 'ok'} />{' '}
        {isSparse ? 'Most hours have no rows: a hole would not be seen.' : 'No hole is to be seen.'}
      </p>
    )
  }
  return (
    <ul class="said" data-holes={holes.length}>
      {holes.slice(0, 5).map(({ from, to, hours }) => (
        <li key={from}>
          <Mark level="bad" /> {duration(hours * 3_600)} missing, from {moment(from)} to {moment(to)}.{' '}
          <a href={addressOf('gaps', from)}>Repair it</a>
        </li>
      ))}
      {holes.length > 5 && <li>And {counted(holes.length - 5, 'more hole')}.</li>}
    </ul>
  )
}

function moment(time: string): string {
  return new Date(time).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
  })
}
