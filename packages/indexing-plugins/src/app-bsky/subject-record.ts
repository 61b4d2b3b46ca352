import { uriAuthority, type Notification, type RecordContext } from '@millrace/indexing'
import { baseRow, sortAt, type BaseRow } from '../base-row.ts'

/** What likes and reposts have in common. */
interface SubjectRecord {
  subject: { uri: string; cid: string }
  /** The repost that it was found through. */
  via?: { uri: string; cid: string }
  createdAt: string
}

type SubjectRow = BaseRow & { subject: string; subjectCid: string; via: string | null; viaCid: string | null }

/** The row of a like or a repost. */
export function subjectRow(context: RecordContext<SubjectRecord>): SubjectRow {
  const { subject, via } = context.record
  return {
    ...baseRow(context),
    subject: subject.uri,
    subjectCid: subject.cid,
    via: via?.uri ?? null,
    viaCid: via?.cid ?? null,
  }
}

/**
 * Who hears of a like or a repost: the author of its subject, and whoever reposted what it was found through. Nobody
 * does when the subject is one's own.
 */
export function subjectNotifications(
  reason: string,
  viaReason: string,
): (row: SubjectRow, context: RecordContext<SubjectRecord>) => Notification[] {
  return (row, { did, record: { subject, via } }) => {
    const author = uriAuthority(subject.uri)
    if (author === did) return []
    const at = sortAt(row)
    return [
      { did: author, reason, reasonSubject: subject.uri, sortAt: at },
      ...(via ? [{ did: uriAuthority(via.uri), reason: viaReason, reasonSubject: via.uri, sortAt: at }] : []),
    ]
  }
}
