import { lockKey } from '@millrace/database'
import type { LabelEvent } from '@millrace/stream-protocol'
import type { Session } from '../session.ts'
import { compareText } from '../values.ts'
import { reduceLabels } from './reduce-labels.ts'

/**
 * Writes labels; what is stored with a later time stays, and of one time what takes a label back. Times are stored in
 * one form, so that text order is theirs. A negation counts for every version of its subject, those that come after it
 * included: labelers are written one batch at a time, so that none is missed.
 */
export async function applyLabels(session: Session, events: readonly LabelEvent[]): Promise<void> {
  if (events.length === 0) return
  const { rows, negations } = reduceLabels(events)
  const sources = [...new Set(rows.map((row) => row.src))].sort(compareText)
  await session.all([
    {
      text: 'select count(pg_advisory_xact_lock(key)) from unnest($1::bigint[]) as key',
      values: [sources.map((src) => lockKey('job', `labels of ${src}`))],
    },
    {
      text: `
        insert into label (src, uri, cid, val, neg, cts, exp)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[])
        on conflict (src, uri, cid, val) do update set neg = excluded.neg, cts = excluded.cts, exp = excluded.exp
        where label.cts < excluded.cts or (label.cts = excluded.cts and (excluded.neg or not label.neg))`,
      values: [
        rows.map((row) => row.src),
        rows.map((row) => row.uri),
        rows.map((row) => row.cid),
        rows.map((row) => row.val),
        rows.map((row) => row.neg),
        rows.map((row) => row.cts),
        rows.map((row) => row.exp),
      ],
    },
    {
      text: `
        update label set neg = true, cts = n.cts
        from (
          select k.src, k.uri, k.val, greatest(k.cts, max(stored.cts) filter (where stored.neg)) as cts
          from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as k(src, uri, val, cts)
          join label as stored using (src, uri, val)
          group by k.src, k.uri, k.val, k.cts
        ) as n
        where label.src = n.src and label.uri = n.uri and label.val = n.val
          and (label.cts < n.cts or (label.cts = n.cts and not label.neg))`,
      values: [
        negations.map((row) => row.src),
        negations.map((row) => row.uri),
        negations.map((row) => row.val),
        negations.map((row) => row.cts),
      ],
    },
  ])
}
