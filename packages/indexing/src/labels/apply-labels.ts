import { lockKey, unnestInsert, unnestSource, toColumns } from '@millrace/database'
import type { Session, Statement } from '../session.ts'
import { compareText } from '../values.ts'
import type { LabelKey, Negation, Positive } from './label-state.ts'
import { planLabels, type LabelChanges, type LabelRow } from './plan-labels.ts'
import type { ReducedLabels } from './reduce-labels.ts'

/**
 * Writes labels and what they come to together with all that was said before. A labeler is written one batch at a time,
 * so that what is read here is what is stored until we are done.
 */
export async function applyLabels(session: Session, batch: ReducedLabels): Promise<void> {
  const keys = labelsOf(batch)
  if (keys.length === 0) return
  const [, made, negations, rows] = await session.all([
    lockLabelers([...new Set(keys.map(({ src }) => src))].sort(compareText)),
    select('millrace_label', ['cid', 'cts', 'host', 'epoch', 'seq', 'exp'], keys),
    select('millrace_label_negation', ['host', 'epoch', 'seq', 'cts'], keys),
    select('label', ['cid', 'neg', 'cts', 'exp'], keys),
  ] as const)
  const stored = { made: made as Positive[], negations: negations as Negation[], rows: rows as LabelRow[] }
  await session.all(write(planLabels(batch, stored)))
}

/** The labels that a batch speaks of, each once, in one order. */
function labelsOf({ made, negations }: ReducedLabels): LabelKey[] {
  const keys = new Map<string, LabelKey>()
  for (const { src, uri, val } of [...made, ...negations]) keys.set(JSON.stringify([src, uri, val]), { src, uri, val })
  return [...keys].sort(([a], [b]) => compareText(a, b)).map(([, key]) => key)
}

function lockLabelers(sources: readonly string[]): Statement {
  return {
    text: 'select count(pg_advisory_xact_lock(key)) from unnest($1::bigint[]) as key',
    values: [sources.map((src) => lockKey('job', `labels of ${src}`))],
  }
}

const keyTypes = { src: 'text', uri: 'text', val: 'text' } as const

function select(table: string, columns: readonly string[], keys: readonly LabelKey[]): Statement {
  return {
    text: `select k.*, ${columns.map((column) => `t.${column}`).join(', ')} from ${unnestSource(keyTypes, 'k')} join ${table} as t using (src, uri, val)`,
    values: toColumns(
      keys.map(({ src, uri, val }) => [src, uri, val]),
      3,
    ),
  }
}

const insertMade = unnestInsert({
  table: 'millrace_label',
  columns: { ...keyTypes, cid: 'text', cts: 'text', host: 'text', epoch: 'integer', seq: 'bigint', exp: 'text' },
  suffix:
    'on conflict (src, uri, val, cid) do update set cts = excluded.cts, host = excluded.host, epoch = excluded.epoch, seq = excluded.seq, exp = excluded.exp',
})
const insertNegations = unnestInsert({
  table: 'millrace_label_negation',
  columns: { ...keyTypes, host: 'text', epoch: 'integer', seq: 'bigint', cts: 'text' },
  suffix: 'on conflict (src, uri, val, host, epoch) do update set seq = excluded.seq, cts = excluded.cts',
})
const insertRows = unnestInsert({
  table: 'label',
  columns: { ...keyTypes, cid: 'text', neg: 'boolean', cts: 'text', exp: 'text' },
  suffix: 'on conflict (src, uri, cid, val) do update set neg = excluded.neg, cts = excluded.cts, exp = excluded.exp',
})

function write({ made, negations, rows }: LabelChanges): (Statement | undefined)[] {
  return [
    made.length > 0
      ? insertMade(made.map((p) => [p.src, p.uri, p.val, p.cid, p.cts, p.host, p.epoch, p.seq, p.exp]))
      : undefined,
    negations.length > 0
      ? insertNegations(negations.map((n) => [n.src, n.uri, n.val, n.host, n.epoch, n.seq, n.cts]))
      : undefined,
    rows.length > 0 ? insertRows(rows.map((r) => [r.src, r.uri, r.val, r.cid, r.neg, r.cts, r.exp])) : undefined,
  ]
}
