import { uriAuthority, type Notification } from '@millrace/indexing'
import type { PostNode, Verdict } from './post-node.ts'

/** How far up a thread its authors hear of a reply. */
export const NOTIFIED_HEIGHT = 4

/**
 * Who hears of a post: who it mentions, whom it quotes, and the authors of what it replies to, from the parent up to
 * the fourth. Nobody of the thread does when the gate forbids the reply, and nobody above a reply that its thread's
 * author hides. A function of values; the same account is told once, by the first of these.
 */
export function postNotifications(
  post: PostNode,
  verdict: Verdict,
  mentioned: readonly string[],
  ancestors: readonly string[],
  hidden: ReadonlySet<string>,
): Notification[] {
  const notifications: Notification[] = []
  const told = new Set([post.creator])
  const tell = (did: string, reason: string, reasonSubject: string | null): void => {
    if (told.has(did)) return
    told.add(did)
    notifications.push({ did, reason, reasonSubject, sortAt: post.sortAt })
  }
  for (const did of mentioned) tell(did, 'mention', null)
  if (post.quoted !== null && !verdict.violatesEmbeddingRules) tell(uriAuthority(post.quoted), 'quote', post.quoted)
  if (verdict.violatesThreadGate) return notifications
  for (const ancestor of ancestors.slice(0, NOTIFIED_HEIGHT)) {
    tell(uriAuthority(ancestor), 'reply', ancestor)
    if (hidden.has(ancestor)) break
  }
  return notifications
}
