import type { GetFreshnessBucket } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useWidth } from '../parts/use-width.ts'
import { amount } from '../words/amount.ts'
import { daysOf, type HeatCell } from './heatmap-days.ts'

const [WIDEST, LEFT, TOP] = [29, 56, 20]

export interface HeatmapProps {
  name: string
  buckets: readonly GetFreshnessBucket[]
  /** No hour is counted beyond it. */
  bound: number
}

/** Rows of each hour, a day in each line: what is missing is outlined. */
export function Heatmap({ name, buckets, bound }: HeatmapProps): VNode {
  const days = daysOf(buckets)
  const holes = buckets.filter(({ isHole }) => isHole).length
  const { ref, width: room } = useWidth<HTMLDivElement>(800)
  const step = Math.min(WIDEST, Math.floor((room - LEFT) / 24))
  const [width, height, gap] = [room, TOP + days.length * step, step > 18 ? 4 : 2]
  return (
    <div ref={ref}>
      <svg
        class="heat"
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${name}: ${holes === 0 ? 'no hour is missing' : `${holes} of ${buckets.length} hours have hardly any rows`}`}
      >
        {[0, 6, 12, 18].map((hour) => (
          <text key={hour} x={LEFT + hour * step} y={TOP - 7}>
            {`${String(hour).padStart(2, '0')}:00`}
          </text>
        ))}
        {days.map(({ day, hours }, row) => (
          <g key={day} transform={`translate(0 ${TOP + row * step})`}>
            <text x={LEFT - 10} y={step / 2 + 4} class="end">
              {dayName(day)}
            </text>
            {hours.map((cell, hour) =>
              cell === undefined ? null : (
                <rect
                  key={cell.start}
                  class={`shade-${cell.shade}${cell.isHole ? ' hole' : ''}${cell.isOpen ? ' open' : ''}`}
                  x={LEFT + hour * step + gap / 2}
                  y={gap / 2}
                  width={step - gap}
                  height={step - gap}
                  rx={step / 7}
                >
                  <title>{wordsOf(cell, bound)}</title>
                </rect>
              ),
            )}
          </g>
        ))}
      </svg>
    </div>
  )
}

function wordsOf({ start, rows, isHole, isOpen }: HeatCell, bound: number): string {
  const count = rows >= bound ? `at least ${amount(bound)}` : amount(rows)
  return `${start.slice(0, 10)} ${start.slice(11, 16)} UTC: ${count} rows${isHole ? ', a hole' : ''}${isOpen ? ', so far' : ''}`
}

function dayName(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
}
