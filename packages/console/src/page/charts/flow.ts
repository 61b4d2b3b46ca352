import type { GetStatusGroup, GetStatusOutput, GetStatusStream } from '@millrace/admin-api'
import { amount } from '../words/amount.ts'
import { duration } from '../words/duration.ts'
import { worst, type Level } from '../words/level.ts'

/** A place that events come to. */
export interface FlowNode {
  id: string
  kind: 'host' | 'stream' | 'group' | 'database'
  title: string
  detail: string
  level: Level
  /** How far from the hosts. */
  step: number
  /** Beside which others: the middle of what it reads. */
  lane: number
}

/** A way that events take. */
export interface FlowEdge {
  from: string
  to: string
  level: Level
  /** Entries a second; absent as long as it is not known. */
  rate?: number | undefined
  /** Somebody wants that nothing goes along it. */
  isPaused?: boolean
}

export interface Flow {
  nodes: FlowNode[]
  edges: FlowEdge[]
  lanes: number
}

/** Entries a second that came into a stream, and that left it. */
export interface StreamRate {
  in: number
  out: number
}

/** The stream that backfillers write to, and the one that they read. */
const [BACKFILL, REPOS] = ['firehose_backfill', 'repo_backfill']

/** The way of events from hosts to rows, as it stands. */
export function flowOf(status: GetStatusOutput, rates: ReadonlyMap<string, StreamRate> = new Map()): Flow {
  const nodes = new Map<string, FlowNode>()
  const edges: FlowEdge[] = []
  // What backfillers write lies beside what they read.
  const first = status.streams.filter(({ name }) => name !== BACKFILL)
  const laneOf = (name: string): number =>
    Math.max(
      0,
      first.findIndex((stream) => stream.name === (name === BACKFILL ? REPOS : name)),
    )
  const hostLanes = new Map<string, number[]>()
  for (const { host, stream } of status.cursors) hostLanes.set(host, [...(hostLanes.get(host) ?? []), laneOf(stream)])
  for (const [host, lanes] of hostLanes)
    nodes.set(`host ${host}`, node('host', host, { step: 0, lane: middle(lanes), detail: '', level: 'ok' }))

  const groupLanes = new Map<string, { lanes: number[]; groups: GetStatusGroup[]; isBackfiller: boolean }>()
  for (const stream of status.streams) {
    const { name, groups } = stream
    const lane = laneOf(name)
    const level = streamLevel(stream)
    nodes.set(
      `stream ${name}`,
      node('stream', name, { step: name === BACKFILL ? 3 : 1, lane, detail: waiting(stream), level }),
    )
    const rate = rates.get(name)
    for (const { host } of status.cursors.filter((cursor) => cursor.stream === name))
      edges.push({ from: `host ${host}`, to: `stream ${name}`, level: 'ok', rate: rate?.in })
    for (const group of groups) {
      const known = groupLanes.get(group.name) ?? { lanes: [], groups: [], isBackfiller: name === REPOS }
      known.lanes.push(lane)
      known.groups.push(group)
      groupLanes.set(group.name, known)
      edges.push({
        from: `stream ${name}`,
        to: `group ${group.name}`,
        level: groupLevel(group),
        rate: rate?.out,
        isPaused: group.verdict === 'paused',
      })
    }
  }

  const database = node('database', 'Postgres', {
    step: 5,
    lane: (first.length - 1) / 2,
    detail: status.database ? rowsOf(status) : 'away',
    level: status.problems.some(({ code }) => code === 'database-away') ? 'bad' : 'ok',
  })
  const hasBackfill = status.streams.some(({ name }) => name === BACKFILL)
  for (const [name, { lanes, groups, isBackfiller }] of groupLanes) {
    const level = worst(groups.map(groupLevel))
    nodes.set(
      `group ${name}`,
      node('group', name, { step: isBackfiller ? 2 : 4, lane: middle(lanes), detail: groupDetail(groups), level }),
    )
    if (isBackfiller && hasBackfill)
      edges.push({ from: `group ${name}`, to: `stream ${BACKFILL}`, level, rate: rates.get(BACKFILL)?.in })
    else
      edges.push({
        from: `group ${name}`,
        to: database.id,
        level: worst([level, database.level]),
        rate: ratesInto(name, status, rates),
      })
  }
  nodes.set(database.id, database)
  return { nodes: [...nodes.values()], edges, lanes: Math.max(1, first.length) }
}

/** What came and went between two looks; nothing for streams that do not count. */
export function ratesOf(earlier: GetStatusOutput, later: GetStatusOutput): Map<string, StreamRate> {
  const seconds = (Date.parse(later.checkedAt) - Date.parse(earlier.checkedAt)) / 1_000
  const rates = new Map<string, StreamRate>()
  if (!(seconds > 0)) return rates
  for (const { name, length, appended } of later.streams) {
    const before = earlier.streams.find((stream) => stream.name === name)
    // A stream that was made anew counts from the beginning.
    if (appended === undefined || before?.appended === undefined || appended < before.appended) continue
    const came = appended - before.appended
    rates.set(name, { in: came / seconds, out: Math.max(0, came - (length - before.length)) / seconds })
  }
  return rates
}

function ratesInto(
  group: string,
  { streams }: GetStatusOutput,
  rates: ReadonlyMap<string, StreamRate>,
): number | undefined {
  const known = streams
    .filter(({ groups }) => groups.some(({ name }) => name === group))
    .map(({ name }) => rates.get(name)?.out)
    .filter((rate) => rate !== undefined)
  return known.length > 0 ? known.reduce((sum, rate) => sum + rate, 0) : undefined
}

export function groupLevel({ verdict }: Pick<GetStatusGroup, 'verdict'>): Level {
  if (verdict === 'stalled' || verdict === 'stopped') return 'bad'
  if (verdict === 'slow') return 'warn'
  // Paused is not wrong: somebody wants it so.
  return verdict === undefined || verdict === 'paused' ? 'unknown' : 'ok'
}

function streamLevel({ length, groups }: GetStatusStream): Level {
  if (groups.length === 0) return length > 0 ? 'bad' : 'unknown'
  return worst(groups.map(groupLevel))
}

function waiting({ length, lagSeconds }: GetStatusStream): string {
  if (length === 0) return 'empty'
  return lagSeconds > 1 ? `${amount(length)} for ${duration(lagSeconds)}` : `${amount(length)} wait`
}

function groupDetail(groups: readonly GetStatusGroup[]): string {
  const bad = groups.find((group) => groupLevel(group) === 'bad')
  if (bad) return `${bad.verdict} ${duration(bad.silentSeconds ?? 0)}`
  for (const said of ['slow', 'paused']) if (groups.some(({ verdict }) => verdict === said)) return said
  return groups.every(({ verdict }) => verdict === 'idle')
    ? 'idle'
    : groups.every(({ verdict }) => verdict === undefined)
      ? 'not known'
      : 'at work'
}

function rowsOf({ database }: GetStatusOutput): string {
  const records = database?.tables.find(({ name }) => name === 'record')?.rows
  return records === undefined ? '' : `~${amount(records)} records`
}

function node(kind: FlowNode['kind'], name: string, rest: Omit<FlowNode, 'id' | 'kind' | 'title'>): FlowNode {
  const title = kind === 'host' ? name.replace(/^[a-z]+:\/\//, '') : name
  return { id: `${kind} ${name}`, kind, title, ...rest }
}

function middle(lanes: readonly number[]): number {
  return (Math.min(...lanes) + Math.max(...lanes)) / 2
}
