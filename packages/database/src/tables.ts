import type { ActorTable, ActorSyncTable, ProfileAggTable, ProfileTable } from './tables/accounts.ts'
import type {
  AccountStatusTable,
  AccountTable,
  CommitTable,
  DeadLetterTable,
  DirtyTable,
  GapTable,
  IdentityTable,
  AlarmTable,
  AuditTable,
  LeaseTable,
  MigrationTable,
  MillraceLabelNegationTable,
  MillraceLabelTable,
  PausedRepoTable,
  PauseTable,
  RepairCountTable,
  RepairTable,
  RepoTable,
  RunTable,
  SettingTable,
  SilenceTable,
  StateTable,
  TombstoneTable,
  UpstreamTable,
} from './tables/bookkeeping.ts'
import type {
  ActorBlockTable,
  FeedGeneratorTable,
  FollowTable,
  LabelerTable,
  LikeTable,
  ListBlockTable,
  ListItemTable,
  ListTable,
  ReferenceListOptOutTable,
  RepostTable,
  StarterPackTable,
  VerificationTable,
} from './tables/graph.ts'
import type {
  FeedItemTable,
  OpThreadReplyTable,
  PostAggTable,
  PostEmbedExternalTable,
  PostEmbedGalleryImageTable,
  PostEmbedImageTable,
  PostEmbedRecordTable,
  PostEmbedVideoTable,
  PostGateTable,
  PostTable,
  QuoteTable,
  ThreadGateTable,
} from './tables/posts.ts'
import type {
  DuplicateRecordTable,
  LabelTable,
  NotificationTable,
  RecordTable,
  ThreadMuteTable,
} from './tables/records.ts'

/** Every table that the pipeline reads or writes, by name. */
export interface Tables {
  record: RecordTable
  duplicate_record: DuplicateRecordTable
  notification: NotificationTable
  label: LabelTable
  thread_mute: ThreadMuteTable

  actor: ActorTable
  actor_sync: ActorSyncTable
  profile: ProfileTable
  profile_agg: ProfileAggTable

  post: PostTable
  post_agg: PostAggTable
  post_embed_image: PostEmbedImageTable
  post_embed_gallery_image: PostEmbedGalleryImageTable
  post_embed_video: PostEmbedVideoTable
  post_embed_external: PostEmbedExternalTable
  post_embed_record: PostEmbedRecordTable
  quote: QuoteTable
  op_thread_reply: OpThreadReplyTable
  feed_item: FeedItemTable
  thread_gate: ThreadGateTable
  post_gate: PostGateTable

  like: LikeTable
  repost: RepostTable
  follow: FollowTable
  actor_block: ActorBlockTable
  list: ListTable
  list_item: ListItemTable
  list_block: ListBlockTable
  reference_list_opt_out: ReferenceListOptOutTable
  verification: VerificationTable
  feed_generator: FeedGeneratorTable
  starter_pack: StarterPackTable
  labeler: LabelerTable

  millrace_migration: MigrationTable
  millrace_repo: RepoTable
  millrace_tombstone: TombstoneTable
  millrace_identity: IdentityTable
  millrace_account: AccountTable
  millrace_account_status: AccountStatusTable
  millrace_label: MillraceLabelTable
  millrace_label_negation: MillraceLabelNegationTable
  millrace_dirty: DirtyTable
  millrace_commit: CommitTable
  millrace_run: RunTable
  millrace_setting: SettingTable
  millrace_audit: AuditTable
  millrace_state: StateTable
  millrace_alarm: AlarmTable
  millrace_silence: SilenceTable
  millrace_pause: PauseTable
  millrace_paused_repo: PausedRepoTable
  millrace_lease: LeaseTable
  millrace_upstream: UpstreamTable
  millrace_repair: RepairTable
  millrace_repair_count: RepairCountTable
  millrace_gap: GapTable
  millrace_dead_letter: DeadLetterTable
}
