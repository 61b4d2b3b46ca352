import { uriAuthority, type Notification, type RecordContext, type Row } from '@millrace/indexing'
import { sortAt } from '../base-row.ts'

/**
 * Who hears of a like or a repost: the author of its subject, and whoever reposted what it was found through. Nobody
 * does when the subject is one's own.
 */
export function subjectNotifications(
  reason: string,
  viaReason: string,
): (row: Row, context: RecordContext<{ subject: { uri: string }; via?: { uri: string } }>) => Notification[] {
  return (row, { did, record: { subject, via } }) => {
    const author = uriAuthority(subject.uri)
    if (author === did) return []
    const at = sortAt(row as { createdAt: string; indexedAt: string })
    return [
      { did: author, reason, reasonSubject: subject.uri, sortAt: at },
      ...(via ? [{ did: uriAuthority(via.uri), reason: viaReason, reasonSubject: via.uri, sortAt: at }] : []),
    ]
  }
}
