import type { GetStatusOutput } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useRef } from 'preact/hooks'
import { useWidth } from '../parts/use-width.ts'
import { amount } from '../words/amount.ts'
import { wordOf } from '../words/level.ts'
import { placeFlow, type Box } from './flow-layout.ts'
import { flowOf, ratesOf } from './flow.ts'

/** Width of a letter, as a share of its size. */
const LETTER = 0.59
const SMALLEST = 9

/** Rates are taken over the looks of about so long. */
const OVER_MS = 20_000

/** The way of events from hosts to rows: how much goes along each part, and how each part stands. */
export function FlowPicture({ status }: { status: GetStatusOutput }): VNode {
  const { ref, width } = useWidth<HTMLDivElement>(1_040)
  const earlier = useRef<GetStatusOutput[]>([])
  const looks = earlier.current
  if (looks.at(-1) !== status) {
    looks.push(status)
    const since = Date.parse(status.checkedAt) - OVER_MS
    while (looks.length > 2 && Date.parse(looks[1]!.checkedAt) < since) looks.shift()
  }
  const flow = flowOf(status, ratesOf(looks[0]!, status))
  const isTall = width < 720
  const placed = placeFlow(flow, { width, isTall })
  return (
    <div ref={ref}>
      <svg class="flow" viewBox={`0 0 ${placed.width} ${placed.height}`} role="img" aria-labelledby="flow-words">
        <title id="flow-words">{wordsOf(flow)}</title>
        {placed.edges.map(({ edge, path, width }) => (
          <g key={`${edge.from} ${edge.to}`} class={edge.isPaused ? 'edge paused' : 'edge'} data-level={edge.level}>
            <path d={path} stroke-width={width} />
            {(edge.rate ?? 0) > 0 && edge.level !== 'bad' && (
              <path class="moving" d={path} stroke-width={Math.max(1.5, width / 3)} />
            )}
          </g>
        ))}
        {placed.nodes.map(({ node, box }) => (
          <g
            key={node.id}
            class={`node ${node.kind}`}
            data-level={node.level}
            transform={`translate(${box.x} ${box.y})`}
          >
            <title>{`${node.title}: ${node.detail || wordOf[node.level]}`}</title>
            <rect width={box.width} height={box.height} rx={node.kind === 'stream' ? box.height / 2 : 8} />
            <Fitted kind="name" text={node.title} size={13} y={node.detail ? 0.42 : 0.58} box={box} />
            <Fitted
              kind="detail"
              text={withRate(node.detail, flow.edges.find(({ to }) => to === node.id)?.rate)}
              size={11.5}
              y={0.73}
              box={box}
            />
          </g>
        ))}
      </svg>
    </div>
  )
}

function withRate(detail: string, rate: number | undefined): string {
  if (rate === undefined) return detail
  const said = `${rate > 0 && rate < 10 ? rate.toFixed(1) : amount(rate)}/s`
  return detail === '' ? said : `${said} · ${detail}`
}

interface FittedProps {
  kind: 'name' | 'detail'
  text: string
  /** Of the letters, where there is room. */
  size: number
  /** As a share of the box. */
  y: number
  box: Box
}

/** A line that stays within its box: in smaller letters first, then cut. */
function Fitted({ kind, text, size, y, box }: FittedProps): VNode {
  const room = (box.width - 12) / LETTER
  const small = Math.min(size, Math.max(SMALLEST, room / text.length))
  // A letter more or less is within what the width of letters is known to.
  const most = Math.floor(room / small + 0.01)
  return (
    <text class={kind} font-size={small} x={box.width / 2} y={box.height * y}>
      {text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`}
    </text>
  )
}

function wordsOf({ nodes }: ReturnType<typeof flowOf>): string {
  return nodes.map(({ title, detail, level }) => `${title}: ${wordOf[level]}${detail ? `, ${detail}` : ''}`).join('; ')
}
