import type { LabelEvent } from '@millrace/stream-protocol'
import type { Session } from '../session.ts'
import { reduceLabels } from './reduce-labels.ts'

/** Writes labels; what is stored with a later time stays. Times are stored in one form, so that text order is theirs. */
export async function applyLabels(session: Session, events: readonly LabelEvent[]): Promise<void> {
  const { rows, negations } = reduceLabels(events)
  await session.all([
    {
      text: `
        insert into label (src, uri, cid, val, neg, cts, exp)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[])
        on conflict (src, uri, cid, val) do update set neg = excluded.neg, cts = excluded.cts, exp = excluded.exp
        where label.cts <= excluded.cts`,
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
    negations.length === 0
      ? undefined
      : {
          text: `
            update label set neg = true, cts = k.cts from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as k(src, uri, val, cts)
            where label.src = k.src and label.uri = k.uri and label.val = k.val and not label.neg and label.cts <= k.cts`,
          values: [
            negations.map((row) => row.src),
            negations.map((row) => row.uri),
            negations.map((row) => row.val),
            negations.map((row) => row.cts),
          ],
        },
  ])
}
