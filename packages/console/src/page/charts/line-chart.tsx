import type { VNode } from 'preact'
import { useWidth } from '../parts/use-width.ts'
import { duration } from '../words/duration.ts'
import { endOfAxis, logShare, marksUpTo, timeMarks } from './scale.ts'

interface Point {
  /** Milliseconds since 1970. */
  at: number
  seconds: number
}

export interface Line {
  name: string
  /** `limit`: what the others must not reach. */
  kind: 'measure' | 'limit'
  points: readonly Point[]
}

export interface LineChartProps {
  /** In words, for who hears the page. */
  summary: string
  lines: readonly Line[]
  from: number
  to: number
}

const [HEIGHT, LEFT, BOTTOM, TOP] = [260, 54, 24, 10]

/** Times over time, on an axis on which a second and three days are both to be seen. */
export function LineChart({ summary, lines, from, to }: LineChartProps): VNode {
  const { ref, width } = useWidth<HTMLDivElement>(960)
  const most = endOfAxis(lines.flatMap(({ points }) => points.map(({ seconds }) => seconds)))
  const x = (at: number): number => LEFT + ((at - from) / Math.max(1, to - from)) * (width - LEFT - 8)
  const y = (seconds: number): number => TOP + (1 - logShare(seconds, most)) * (HEIGHT - TOP - BOTTOM)
  return (
    <div ref={ref}>
      <svg class="lines" viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={summary}>
        {marksUpTo(most).map((mark) => (
          <g key={mark} class="grid">
            <line x1={LEFT} x2={width - 8} y1={y(mark)} y2={y(mark)} />
            <text x={LEFT - 8} y={y(mark) + 4} class="end">
              {duration(mark)}
            </text>
          </g>
        ))}
        {timeMarks(from, to, width < 500 ? 4 : 8).map((mark) => (
          <text key={mark} class="time" x={x(mark)} y={HEIGHT - 6}>
            {clock(mark, to - from)}
          </text>
        ))}
        {lines.map(({ name, kind, points }, index) => (
          <g key={name} class={kind === 'limit' ? 'limit' : `line series-${index % 4}`}>
            <path d={pathOf(points, x, y)} />
            {points.length === 1 && <circle cx={x(points[0]!.at)} cy={y(points[0]!.seconds)} r="2" />}
          </g>
        ))}
      </svg>
      <ul class="legend">
        {lines.map(({ name, kind, points }, index) => (
          <li key={name} class={kind === 'limit' ? 'limit' : `series-${index % 4}`}>
            {name}
            <strong>{points.length > 0 ? duration(points.at(-1)!.seconds) : '–'}</strong>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** A pause of some looks is a gap of the line. */
function pathOf(points: readonly Point[], x: (at: number) => number, y: (seconds: number) => number): string {
  const steps = points.slice(1).map(({ at }, index) => at - points[index]!.at)
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0
  return points
    .map(({ at, seconds }, index) => {
      const isGap = index === 0 || at - points[index - 1]!.at > 5 * usual
      return `${isGap ? 'M' : 'L'}${x(at).toFixed(1)} ${y(seconds).toFixed(1)}`
    })
    .join('')
}

function clock(at: number, span: number): string {
  const options: Intl.DateTimeFormatOptions =
    span > 2 * 86_400_000 ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit' }
  return new Date(at).toLocaleString('en-GB', options)
}
