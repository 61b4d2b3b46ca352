import type { Flow, FlowEdge, FlowNode } from './flow.ts'

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export interface PlacedFlow {
  width: number
  height: number
  nodes: { node: FlowNode; box: Box }[]
  edges: { edge: FlowEdge; path: string; width: number }[]
}

const STEPS = 6
/** Thinnest and thickest way, and the rate at which it is thickest. */
const [THIN, THICK, MOST] = [1.5, 11, 10_000]

/** How thick a way is drawn: by the order of magnitude of what goes along it. */
export function widthOf(rate: number | undefined): number {
  if (rate === undefined || rate <= 0) return THIN
  return THIN + (THICK - THIN) * Math.min(1, Math.log10(1 + rate) / Math.log10(1 + MOST))
}

/** Places it from left to right, or, where there is little room, from top to bottom. */
export function placeFlow(flow: Flow, { width, isTall }: { width: number; isTall: boolean }): PlacedFlow {
  const box = isTall ? tallBoxes(flow, width) : wideBoxes(flow, width)
  const nodes = flow.nodes.map((node) => ({ node, box: box(node) }))
  for (let step = 0; step < STEPS; step++) {
    const boxes = nodes.filter(({ node }) => node.step === step).map(({ box }) => box)
    if (isTall) spreadAcross(boxes, width)
    else spreadDown(boxes)
  }
  const boxes = new Map(nodes.map(({ node, box }) => [node.id, box]))
  const edges = flow.edges.flatMap((edge) => {
    const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)]
    return from && to
      ? [{ edge, path: isTall ? downward(from, to) : rightward(from, to), width: widthOf(edge.rate) }]
      : []
  })
  const height = Math.max(...nodes.map(({ box: { y, height } }) => y + height)) + 4
  return { width, height, nodes, edges }
}

function wideBoxes({ lanes }: Flow, width: number): (node: FlowNode) => Box {
  const [boxWidth, boxHeight, laneHeight] = [Math.min(164, (width - 5 * 28) / STEPS), 54, 92]
  const stepWidth = (width - boxWidth - 4) / (STEPS - 1)
  const clamped = (lane: number): number => Math.min(Math.max(lane, 0), lanes - 1)
  return ({ step, lane }) => ({
    x: 2 + step * stepWidth,
    y: 2 + clamped(lane) * laneHeight,
    width: boxWidth,
    height: boxHeight,
  })
}

function tallBoxes({ lanes }: Flow, width: number): (node: FlowNode) => Box {
  const gap = 10
  const laneWidth = (width - 4 - gap * (lanes - 1)) / lanes
  return ({ step, lane }) => ({
    x: 2 + lane * (laneWidth + gap),
    y: 2 + step * 84,
    width: laneWidth,
    height: 50,
  })
}

/** Moves down what would lie on another. */
function spreadDown(boxes: Box[]): void {
  let free = -Infinity
  for (const box of boxes.toSorted((a, b) => a.y - b.y)) {
    box.y = Math.max(box.y, free)
    free = box.y + box.height + 8
  }
}

/** Gives each of a row an equal share of the width, if one would lie on another. */
function spreadAcross(boxes: Box[], width: number): void {
  const row = boxes.toSorted((a, b) => a.x - b.x)
  if (row.every((box, index) => index === 0 || box.x >= row[index - 1]!.x + row[index - 1]!.width)) return
  const share = (width - 4 - 6 * (row.length - 1)) / row.length
  for (const [index, box] of row.entries()) Object.assign(box, { x: 2 + index * (share + 6), width: share })
}

function rightward(from: Box, to: Box): string {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2]
  const [x2, y2] = [to.x, to.y + to.height / 2]
  const bend = Math.min(70, (x2 - x1) / 2)
  return `M${round(x1)} ${round(y1)}C${round(x1 + bend)} ${round(y1)} ${round(x2 - bend)} ${round(y2)} ${round(x2)} ${round(y2)}`
}

function downward(from: Box, to: Box): string {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height]
  const [x2, y2] = [to.x + to.width / 2, to.y]
  const bend = Math.min(40, (y2 - y1) / 2)
  return `M${round(x1)} ${round(y1)}C${round(x1)} ${round(y1 + bend)} ${round(x2)} ${round(y2 - bend)} ${round(x2)} ${round(y2)}`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
