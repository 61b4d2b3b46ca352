import type { RecordPlugin } from '@millrace/indexing'
import { actorProfile } from './app-bsky/actor-profile.ts'
import { actorStatus } from './app-bsky/actor-status.ts'
import { chatDeclaration } from './app-bsky/chat-declaration.ts'
import { feedGenerator } from './app-bsky/feed-generator.ts'
import { feedLike } from './app-bsky/feed-like.ts'
import { feedPost } from './app-bsky/feed-post.ts'
import { feedPostgate } from './app-bsky/feed-postgate.ts'
import { feedRepost } from './app-bsky/feed-repost.ts'
import { feedThreadgate } from './app-bsky/feed-threadgate.ts'
import { germDeclaration } from './app-bsky/germ-declaration.ts'
import { graphBlock } from './app-bsky/graph-block.ts'
import { graphFollow } from './app-bsky/graph-follow.ts'
import { graphList } from './app-bsky/graph-list.ts'
import { graphListblock } from './app-bsky/graph-listblock.ts'
import { graphListitem } from './app-bsky/graph-listitem.ts'
import { graphReferencelistoptout } from './app-bsky/graph-referencelistoptout.ts'
import { graphStarterpack } from './app-bsky/graph-starterpack.ts'
import { graphVerification } from './app-bsky/graph-verification.ts'
import { labelerService } from './app-bsky/labeler-service.ts'
import { notificationDeclaration } from './app-bsky/notification-declaration.ts'

export {
  actorProfile,
  actorStatus,
  chatDeclaration,
  feedGenerator,
  feedLike,
  feedPost,
  feedPostgate,
  feedRepost,
  feedThreadgate,
  germDeclaration,
  graphBlock,
  graphFollow,
  graphList,
  graphListblock,
  graphListitem,
  graphReferencelistoptout,
  graphStarterpack,
  graphVerification,
  labelerService,
  notificationDeclaration,
}
export { lexicons, publishedRecord } from './lexicons.ts'

/** Every collection that a Bluesky AppView reads. */
export const appBskyPlugins: readonly RecordPlugin[] = [
  feedPost,
  feedLike,
  feedRepost,
  graphFollow,
  graphBlock,
  actorProfile,
  graphList,
  graphListitem,
  graphListblock,
  graphReferencelistoptout,
  graphStarterpack,
  graphVerification,
  feedGenerator,
  feedThreadgate,
  feedPostgate,
  labelerService,
  actorStatus,
  notificationDeclaration,
  chatDeclaration,
  germDeclaration,
]
