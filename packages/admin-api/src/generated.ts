// Made of the lexicons by `pnpm generate`: change those.

/** What `addRepos` is asked with. */
export interface AddReposInput {
  dids: readonly string[]
  /** Before all others. Default: false. */
  first?: boolean | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `addRepos` answers. Has repos fetched from their own hosts: after all others, or before all others. */
export interface AddReposOutput {
  change: Change
}

/** What `applyTrim` is asked with. */
export interface ApplyTrimInput {
  stream: string
  /** What this group has not acked; absent: of all groups that read the stream. */
  group?: string | undefined
  /** end, the id of the last entry to drop, or a time with its zone: what was appended before it. */
  to: string
  /** Of the plan. What has moved since is refused. */
  hash?: string | undefined
  /** To drop what is not acked. Default: false. */
  acceptLoss?: boolean | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `applyTrim` answers. Drops entries that groups have not acked, as planned. Each becomes a dead letter first, which can be put back, and the stream gets a gap, so that all hosts are compared. Goes on for some 30 seconds at a time. */
export interface ApplyTrimOutput {
  change: Change
  /** False where there is more to drop: plan it anew. */
  isOver: boolean
}

/** What `controlBackfill` is asked with. */
export interface ControlBackfillInput {
  action: 'pause' | 'resume'
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `controlBackfill` answers. Pauses or resumes the fetch of repos that nobody waits for. Those that people ask for, that a firehose has lost or that repairs want go on. */
export interface ControlBackfillOutput {
  change: Change
}

/** What `controlRepair` is asked with. */
export interface ControlRepairInput {
  id: number
  action: 'pause' | 'resume' | 'cancel'
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `controlRepair` answers. Pauses, resumes or cancels a repair. */
export interface ControlRepairOutput {
  change: Change
}

/** What a change came to. The same change asked for twice changes nothing the second time. */
export interface Change {
  /** How many things changed, or would. */
  changed: number
  /** What changed, in words. */
  summary: string
  /** A command that takes it back; absent where nothing does. */
  undo?: string | undefined
  /** Its place in the audit log; absent where nothing changed. */
  auditId?: number | undefined
  dryRun: boolean
}

/** Told by `defs`. */
export interface Verdict {
  /** fine: as it should be. wait: on its way. act: it stays so until somebody does something. unknown: who would know does not answer. */
  level: 'fine' | 'wait' | 'act' | 'unknown' | (string & {})
  code: string
  /** In words, for people. */
  sentence: string
  /** What to run next. */
  command?: string | undefined
}

/** What is left alone, because somebody says so. */
export interface Pause {
  kind: 'role' | 'group' | 'host' | 'collection' | (string & {})
  name: string
  reason: string
  /** Who paused it. */
  who: string
  since: string
  /** When it goes on by itself; absent where it waits to be resumed. */
  until?: string | undefined
  /** Its time is over, and no process with this database has taken it away yet. */
  isOver: boolean
  /** Of a collection: accounts that are fetched once it goes on, counted up to 100,000. */
  accounts?: number | undefined
}

/** Told by `defs`. */
export interface Host {
  /** Without scheme. */
  host: string
  /** The streams that ingesters read it into; none for one of which only repos are fetched. */
  streams: readonly string[]
  /** waiting: it is left alone for a while, as it asks for. failing: what it was asked last has failed. paused: somebody wants it so. */
  state: 'ok' | 'waiting' | 'failing' | 'paused' | (string & {})
  /** Requests for repos that it seems to take in a minute; absent for one that no backfiller has asked lately. */
  perMinute?: number | undefined
  /** For how long it is left alone. */
  waitSeconds?: number | undefined
  /** Failures in a row. */
  failures: number
  /** When the last of them was. */
  failedAt?: string | undefined
  /** When backfillers last changed what they know of it. */
  askedAt?: string | undefined
  /** Repos of it that were given up, and that nobody has decided about. */
  failedRepos: number
}

/** What `discardDeadLetters` is asked with. */
export interface DiscardDeadLettersInput {
  /** Only these. */
  ids?: readonly number[] | undefined
  stream?: string | undefined
  /** The reason that it was given up for. */
  reasonCode?: string | undefined
  fingerprint?: string | undefined
  did?: string | undefined
  /** How many there are, as a dry run has said: needed when it is not one named letter. */
  confirm?: string | undefined
  /** All that nobody has decided about. */
  all?: boolean | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `discardDeadLetters` answers. Settles letters without another try. They stay, for the record. */
export interface DiscardDeadLettersOutput {
  change: Change
}

/** What `editDeadLetter` is asked with. */
export interface EditDeadLetterInput {
  id: number
  /** An event of its stream, as JSON. */
  payload: string
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `editDeadLetter` answers. Puts another payload in place of a letter’s, and has an indexer take it. */
export interface EditDeadLetterOutput {
  change: Change
}

/** What `exportDeadLetters` is asked with. */
export interface ExportDeadLettersParams {
  state?: 'kept' | 'retry' | 'replayed' | 'discarded' | 'purged' | (string & {}) | undefined
  stream?: string | undefined
  /** The reason that it was given up for. */
  reasonCode?: string | undefined
  fingerprint?: string | undefined
  did?: string | undefined
  /** How many at most. */
  limit?: number | undefined
  /** Where the last page ended. */
  cursor?: string | undefined
}

/** What `exportDeadLetters` answers. Letters with what they hold, the newest first, to keep them elsewhere. */
export interface ExportDeadLettersOutput {
  letters: readonly ExportDeadLettersLetter[]
  /** For the next page; absent on the last one. */
  cursor?: string | undefined
}

/** Told by `exportDeadLetters`. */
export interface ExportDeadLettersLetter {
  letter: ListDeadLettersLetter
  /** As it was received, up to 64 KiB. */
  payload: string
  /** It was longer than what is kept of it. */
  isCut: boolean
}

/** What `getBackfill` answers. How far the first fetch of repos is: what waits, how fast it goes, and when it is done. */
export interface GetBackfillOutput {
  /** idle: nothing waits. absent: something does, and no backfiller is heard of. */
  state: 'running' | 'paused' | 'idle' | 'absent' | (string & {})
  /** Hosts are still asked which repos they have. */
  isListing: boolean
  lists: readonly GetBackfillList[]
  backfillers: number
  /** Repos that were listed and wait in the stream; absent where no backfiller tells. */
  listed?: number | undefined
  waiting: GetBackfillWaiting
  running: number
  /** Repos that were fetched in vain, and are tried again. */
  retrying: number
  /** Repos that were given up, and that nobody has decided about. */
  failed: number
  /** Repos that all backfillers together finish in a minute. */
  perMinute: number
  /** Until nothing waits, at this rate, without what is still to be listed; absent where that cannot be told. */
  etaSeconds?: number | undefined
}

/** Told by `getBackfill`. */
export interface GetBackfillList {
  host: string
  /** With its scheme. */
  url: string
  /** All its repos were listed, as far as is known. */
  isDone: boolean
  cursor?: string | undefined
}

/** Marked accounts, by why. */
export interface GetBackfillWaiting {
  /** People want them first. */
  asked: number
  /** A firehose has lost something of them. */
  live: number
  repair: number
  /** They were added. */
  backfill: number
}

/** What `getDeadLetter` is asked with. */
export interface GetDeadLetterParams {
  id: number
}

/** What `getDeadLetter` answers. One dead letter, whole. */
export interface GetDeadLetterOutput {
  letter: ListDeadLettersLetter
  /** As it was received, up to 64 KiB. */
  payload: string
  /** It was longer than what is kept of it. */
  isCut: boolean
}

/** What `getDeadLetterGroups` is asked with. */
export interface GetDeadLetterGroupsParams {
  state?: 'kept' | 'retry' | 'replayed' | 'discarded' | 'purged' | (string & {}) | undefined
  stream?: string | undefined
  /** The reason that it was given up for. */
  reasonCode?: string | undefined
  fingerprint?: string | undefined
  did?: string | undefined
}

/** What `getDeadLetterGroups` answers. What was given up, like letters together, the most frequent first. */
export interface GetDeadLetterGroupsOutput {
  groups: readonly GetDeadLetterGroupsGroup[]
}

/** Told by `getDeadLetterGroups`. */
export interface GetDeadLetterGroupsGroup {
  stream: string
  reason: string
  fingerprint: string
  count: number
  firstAt: string
  lastAt: string
  /** The newest of them. */
  example: number
  error: string
  uri?: string | undefined
  did?: string | undefined
}

/** What `getDoctorReport` answers. Checks everything that is known to go wrong, each with what was seen, what it means and what to run. Reads catalogues and our own tables, and asks each host for a moment. */
export interface GetDoctorReportOutput {
  checkedAt: string
  /** The worst of all. */
  verdict: 'ok' | 'unknown' | 'warn' | 'fail' | (string & {})
  checks: readonly GetDoctorReportCheck[]
}

/** Told by `getDoctorReport`. */
export interface GetDoctorReportCheck {
  id: string
  title: string
  verdict: 'ok' | 'unknown' | 'warn' | 'fail' | (string & {})
  /** What kind of problem it is: its section in docs/runbook.md. Absent where all is well. */
  code?: string | undefined
  /** What it is about; absent where that is the pipeline as a whole. */
  subject?: string | undefined
  /** What was seen. */
  evidence: string
  meaning?: string | undefined
  /** What to do first. */
  command?: string | undefined
}

/** What `getFreshness` is asked with. */
export interface GetFreshnessParams {
  /** Default: a day ago. */
  since?: string | undefined
  bucket?: 'hour' | 'day' | (string & {}) | undefined
}

/** What `getFreshness` answers. How many rows there are of each hour or day, by the time that readers sort on. Counted by index, and only up to a bound in each: holes show, and a hot table is not read through. */
export interface GetFreshnessOutput {
  bucketSeconds: number
  /** No bucket is counted beyond it. */
  bound: number
  series: readonly GetFreshnessSeries[]
}

/** Told by `getFreshness`. */
export interface GetFreshnessSeries {
  collection: string
  /** Time of the newest row; absent when there is none. */
  newest?: string | undefined
  buckets: readonly GetFreshnessBucket[]
}

/** Told by `getFreshness`. */
export interface GetFreshnessBucket {
  start: string
  /** At least so many when it is the bound. */
  rows: number
  /** None or hardly any, between others that have many. */
  isHole: boolean
}

/** What `getHost` is asked with. */
export interface GetHostParams {
  host: string
}

/** What `getHost` answers. One host: how it stands, our place in it, and what is missing of it. */
export interface GetHostOutput {
  host: Host
  cursors: readonly GetHostCursor[]
  /** Of the repos that were given up, the latest first, at most 10. */
  lastErrors: readonly GetHostError[]
  /** Intervals of it that we may not have. */
  openGaps: number
  /** The number of its repair that is at work or was the last one. */
  repair?: number | undefined
  repairState?: string | undefined
  pause?: Pause | undefined
}

/** Told by `getHost`. */
export interface GetHostCursor {
  stream: string
  cursor?: string | undefined
  /** All its repos were listed. */
  isDone: boolean
  /** Up to where the rows are, as far as is known. */
  checkpoint?: string | undefined
  seenAt?: string | undefined
}

/** Told by `getHost`. */
export interface GetHostError {
  /** Its number among the dead letters. */
  letter: number
  did?: string | undefined
  reason: string
  error: string
  at: string
}

/** What `getLag` answers. How far each group is behind, and how long hosts keep what we have not read. */
export interface GetLagOutput {
  groups: readonly GetLagGroup[]
  hosts: readonly GetLagHost[]
}

/** Told by `getLag`. */
export interface GetLagGroup {
  stream: string
  group: string
  verdict: 'ok' | 'idle' | 'slow' | 'stalled' | 'stopped' | 'paused' | (string & {})
  /** Entries that are not acked; absent where the store cannot tell. */
  waiting?: number | undefined
  /** Age of the oldest of them. */
  behindSeconds: number
}

/** Told by `getLag`. */
export interface GetLagHost {
  host: string
  stream: string
  cursor?: string | undefined
  /** Where our cursor is in what the host keeps. */
  position: 'within' | 'outdated' | 'future' | 'none' | 'away' | (string & {})
  /** How much older the event after our cursor is than the newest one of the host; absent when there is none. */
  behindSeconds?: number | undefined
  /** How long until the host forgets it, at least, if nothing is read meanwhile. */
  timeToLossSeconds?: number | undefined
  oldestSeq?: number | undefined
  nextSeq?: number | undefined
  /** Up to which every event is in the rows. */
  checkpoint?: string | undefined
  checkpointAgeSeconds?: number | undefined
}

/** What `getLagHistory` is asked with. */
export interface GetLagHistoryParams {
  /** How far to look back. */
  seconds?: number | undefined
}

/** What `getLagHistory` answers. How far groups were behind and how far back hosts could replay, as the admin server has seen it since it was started, for a day at most. */
export interface GetLagHistoryOutput {
  groups: readonly GetLagHistoryGroup[]
  hosts: readonly GetLagHistoryHost[]
}

/** Told by `getLagHistory`. */
export interface GetLagHistoryGroup {
  stream: string
  group: string
  /** In order. Of many that lie close together the worst is kept. */
  points: readonly GetLagHistoryGroupPoint[]
}

/** Told by `getLagHistory`. */
export interface GetLagHistoryGroupPoint {
  at: string
  /** Age of the oldest entry that waited to be acked. */
  behindSeconds: number
}

/** Told by `getLagHistory`. */
export interface GetLagHistoryHost {
  host: string
  stream: string
  /** In order. There is none for a host that has forgotten nothing yet, or does not answer. */
  points: readonly GetLagHistoryHostPoint[]
}

/** Told by `getLagHistory`. */
export interface GetLagHistoryHostPoint {
  at: string
  /** Age of the oldest event that it kept. */
  windowSeconds: number
}

/** What `getRepair` is asked with. */
export interface GetRepairParams {
  id: number
}

/** What `getRepair` answers. One repair: how far it is, and what it changed. */
export interface GetRepairOutput {
  repair: ListRepairsRepair
  /** By collection; none before something was changed. */
  counts: readonly GetRepairCount[]
}

/** Told by `getRepair`. */
export interface GetRepairCount {
  collection: string
  created: number
  updated: number
  deleted: number
  unchanged: number
}

/** What `getRepo` is asked with. */
export interface GetRepoParams {
  did: string
}

/** What `getRepo` answers. All that is kept about one repo, beside its records. */
export interface GetRepoOutput {
  did: string
  /** As it was last verified; absent without one. */
  handle?: string | undefined
  /** Up to where all of its commits are in the rows; absent for one that was never completed. */
  rev?: string | undefined
  /** The root of its tree at that revision. */
  root?: string | undefined
  /** The revision after which a commit is missing. */
  brokenSince?: string | undefined
  /** Why readers do not see it. */
  hidden?: string | undefined
  /** What hosts say of the account. */
  statuses: readonly GetRepoStatus[]
  mark?: GetRepoMark | undefined
  /** Fetches of it whose records are being applied. */
  runs: readonly GetRepoRun[]
  /** Counted up to 10,000. */
  records: number
  /** That nobody has decided about. */
  deadLetters: number
  /** Once these go on, it is fetched. */
  pausedCollections: readonly string[]
}

/** Told by `getRepo`. */
export interface GetRepoStatus {
  host: string
  active: boolean
  status?: string | undefined
  time: string
}

/** It has to be fetched. */
export interface GetRepoMark {
  reason: string
  since: string
  /** Not before then; absent while what it is for is paused. */
  nextAt?: string | undefined
  attempts: number
  lastError?: string | undefined
  reindex: boolean
}

/** Told by `getRepo`. */
export interface GetRepoRun {
  host?: string | undefined
  rev: string
  openedAt: string
  /** Absent until the whole repo was read. */
  records?: number | undefined
}

/** What `getStatus` answers. How the pipeline stands: its streams and groups, its place in each host, and what could not be processed. Reads no entries and no rows, whatever there is of them. */
export interface GetStatusOutput {
  /** degraded: it works, and problems lists why it should be looked at. failing: a part did not answer, and is missing below. */
  status: 'ok' | 'degraded' | 'failing' | (string & {})
  checkedAt: string
  problems: readonly GetStatusProblem[]
  store: GetStatusStore
  streams: readonly GetStatusStream[]
  cursors: readonly GetStatusCursor[]
  /** What operators have paused; absent where the database does not tell. */
  pauses?: readonly Pause[] | undefined
  database?: GetStatusDatabase | undefined
}

/** Something that is wrong, as the doctor finds it. */
export interface GetStatusProblem {
  /** What kind of problem, such as group-stalled: its section in docs/runbook.md. */
  code: string
  /** page: something is lost, stands still, or soon will. ticket: it works, and somebody should look at it in the day. */
  severity: 'page' | 'ticket' | (string & {})
  /** What it is about, such as a stream and its group; empty for the pipeline as a whole. */
  subject: string
  /** Since when it is known. */
  since: string
  /** What was seen. */
  message: string
  meaning: string
  /** What to do first. */
  command: string
  /** URL of its section. */
  runbook: string
}

/** What holds the streams. */
export interface GetStatusStore {
  kind: 'redis' | 'sqlite' | (string & {})
  /** Without credentials. */
  location: string
}

/** Told by `getStatus`. */
export interface GetStatusStream {
  name: string
  /** Entries, delivered or not. Acked ones are gone. */
  length: number
  /** Entries that were ever appended: how fast they come is in the difference of two looks. Absent where the store does not count. */
  appended?: number | undefined
  firstId?: string | undefined
  lastId?: string | undefined
  firstAgeSeconds?: number | undefined
  lastAgeSeconds?: number | undefined
  /** Age of the oldest entry that waits to be acked: how far behind the readers are. 0 when none waits. */
  lagSeconds: number
  groups: readonly GetStatusGroup[]
}

/** Told by `getStatus`. */
export interface GetStatusGroup {
  name: string
  /** Whether it gets on, judged by what it acks. idle: nothing waits. slow: it gets on, more than ten minutes behind. stalled: it has acked nothing for a while although entries wait. stopped: neither was any of its consumers heard of. paused: an operator wants it so. Absent where nobody watches. */
  verdict?: 'ok' | 'idle' | 'slow' | 'stalled' | 'stopped' | 'paused' | (string & {}) | undefined
  /** For how long it was seen to ack nothing although entries waited. */
  silentSeconds?: number | undefined
  /** Delivered and not acked. */
  pending: number
  /** Absent where the store cannot tell. */
  undelivered?: number | undefined
  /** Absent when nothing is pending. */
  oldestPendingAgeSeconds?: number | undefined
  lagSeconds: number
  lastDeliveredId: string
  consumers: readonly GetStatusConsumer[]
}

/** Told by `getStatus`. */
export interface GetStatusConsumer {
  name: string
  pending: number
  idleSeconds: number
}

/** The place of an ingester in a host. */
export interface GetStatusCursor {
  stream: string
  host: string
  /** Absent before the first events of the host. */
  cursor?: string | undefined
  /** True once a host has listed all its repos. */
  done: boolean
}

/** Told by `getStatus`. */
export interface GetStatusDatabase {
  /** Without credentials. */
  location: string
  /** Messages that were given up and are open, by reason. */
  deadLetters: readonly GetStatusDeadLetters[]
  dirty: GetStatusDirty
  /** Intervals of hosts that we may not have, oldest first, at most 100. */
  gaps: readonly GetStatusGap[]
  /** Rows by table, as Postgres estimates them. */
  tables: readonly GetStatusTable[]
}

/** Told by `getStatus`. */
export interface GetStatusDeadLetters {
  reason: string
  count: number
}

/** Accounts that have to be looked at again. */
export interface GetStatusDirty {
  count: number
  oldestAgeSeconds?: number | undefined
}

/** Told by `getStatus`. */
export interface GetStatusGap {
  host: string
  stream: string
  reason: string
  fromSeq?: string | undefined
  toSeq?: string | undefined
  openedAt: string
}

/** Told by `getStatus`. */
export interface GetStatusTable {
  name: string
  rows: number
}

/** What `listAlerts` answers. Alarms that have begun, will if they last, or have just ended; what is silenced; and who is told. Without an admin server at work it is what the last one has kept. */
export interface ListAlertsOutput {
  alerts: readonly ListAlertsAlert[]
  /** Those that hold now. */
  silences: readonly ListAlertsSilence[]
  /** Those that are told: host, and a hash of the URL, which is a secret. */
  webhooks: readonly string[]
}

/** Told by `listAlerts`. */
export interface ListAlertsAlert {
  /** What kind of problem, such as group-stalled: its section in docs/runbook.md. */
  code: string
  severity: 'page' | 'ticket' | (string & {})
  /** What it is about; empty for the pipeline as a whole. */
  subject: string
  /** pending: it is there, and nobody is told before it has lasted for a while. open: webhooks are told. ended: it is over, and a webhook has not taken that yet. */
  state: 'pending' | 'open' | 'ended' | (string & {})
  since: string
  openedAt?: string | undefined
  endedAt?: string | undefined
  silencedUntil?: string | undefined
  /** What was seen. */
  message: string
  meaning: string
  /** What to do first. */
  command: string
  /** URL of its section. */
  runbook: string
}

/** Told by `listAlerts`. */
export interface ListAlertsSilence {
  code: string
  /** Absent where it holds for whatever the alarm is about. */
  subject?: string | undefined
  reason: string
  who: string
  createdAt: string
  expiresAt: string
}

/** What `listAudit` is asked with. */
export interface ListAuditParams {
  /** Only by this method. */
  method?: string | undefined
  /** How many at most. */
  limit?: number | undefined
  /** Where the last page ended. */
  cursor?: string | undefined
}

/** What `listAudit` answers. What people changed by hand, the newest first. */
export interface ListAuditOutput {
  entries: readonly ListAuditEntry[]
  /** For the next page; absent on the last one. */
  cursor?: string | undefined
}

/** Told by `listAudit`. */
export interface ListAuditEntry {
  id: number
  at: string
  who: string
  method: string
  target: string
  reason?: string | undefined
  /** As JSON. */
  before?: string | undefined
  /** As JSON. */
  after?: string | undefined
  undo?: string | undefined
}

/** What `listCursors` answers. Our place in each host. */
export interface ListCursorsOutput {
  cursors: readonly ListCursorsCursor[]
}

/** Told by `listCursors`. */
export interface ListCursorsCursor {
  stream: string
  host: string
  /** Absent when there is none. */
  cursor?: string | undefined
  /** All repos are listed. */
  isDone: boolean
  checkpoint?: string | undefined
  checkpointAt?: string | undefined
  /** When an ingester last said that it reads the host. */
  seenAt?: string | undefined
}

/** What `listDeadLetters` is asked with. */
export interface ListDeadLettersParams {
  state?: 'kept' | 'retry' | 'replayed' | 'discarded' | 'purged' | (string & {}) | undefined
  stream?: string | undefined
  /** The reason that it was given up for. */
  reasonCode?: string | undefined
  fingerprint?: string | undefined
  did?: string | undefined
  /** How many at most. */
  limit?: number | undefined
  /** Where the last page ended. */
  cursor?: string | undefined
}

/** What `listDeadLetters` answers. What was given up, the newest first. */
export interface ListDeadLettersOutput {
  letters: readonly ListDeadLettersLetter[]
  /** For the next page; absent on the last one. */
  cursor?: string | undefined
}

/** Told by `listDeadLetters`. */
export interface ListDeadLettersLetter {
  id: number
  stream: string
  entryId: string
  reason: string
  /** The same for letters whose reason and error are alike. */
  fingerprint: string
  error: string
  did?: string | undefined
  uri?: string | undefined
  host?: string | undefined
  state: 'kept' | 'retry' | 'replayed' | 'discarded' | 'purged' | (string & {})
  attempts: number
  retries: number
  firstAt: string
  lastAt: string
}

/** What `listEntries` is asked with. */
export interface ListEntriesParams {
  stream: string
  /** Only those of this account, and labels on it, among the ones that are looked at. */
  did?: string | undefined
  /** Only events of records of this collection. */
  collection?: string | undefined
  /** How many at most. */
  limit?: number | undefined
  /** After this entry; 0-0 is before the first, and <milliseconds>-0 a moment. */
  cursor?: string | undefined
}

/** What `listEntries` answers. Entries of a stream, whoever has read them. Nobody is given them. */
export interface ListEntriesOutput {
  entries: readonly ListEntriesEntry[]
  /** For the next page; absent on the last one. */
  cursor?: string | undefined
}

/** Told by `listEntries`. */
export interface ListEntriesEntry {
  id: string
  /** When it was appended. */
  at: string
  /** What it is about. */
  event: string
  /** As it stands there, as JSON; cut when it is long. */
  fields: string
}

/** What `listGaps` answers. What may be missing. */
export interface ListGapsOutput {
  gaps: readonly ListGapsGap[]
}

/** Told by `listGaps`. */
export interface ListGapsGap {
  id: number
  /** Empty when it is not known which. */
  host: string
  stream: string
  reason: string
  fromSeq?: string | undefined
  toSeq?: string | undefined
  since?: string | undefined
  until?: string | undefined
  openedAt: string
  /** The repair that closes it. */
  repair?: number | undefined
  repairState?: string | undefined
}

/** What `listHosts` is asked with. */
export interface ListHostsParams {
  /** failing: those that fail first, the most repos given up first. Default: name. */
  sort?: 'name' | 'failing' | undefined
  /** How many at most. */
  limit?: number | undefined
  /** Where the last page ended. */
  cursor?: string | undefined
}

/** What `listHosts` answers. Hosts that are read, and those that repos were fetched from lately: how much each takes, and what fails. */
export interface ListHostsOutput {
  hosts: readonly Host[]
  /** For the next page; absent on the last one. */
  cursor?: string | undefined
}

/** What `listPauses` answers. What is paused, by whom, why and until when. */
export interface ListPausesOutput {
  pauses: readonly Pause[]
}

/** What `listPending` is asked with. */
export interface ListPendingParams {
  stream: string
  group: string
  /** Only of this one. */
  consumer?: string | undefined
  /** Only what it has had for so long. */
  minIdleSeconds?: number | undefined
  /** How many at most. */
  limit?: number | undefined
  /** Where the last page ended. */
  cursor?: string | undefined
}

/** What `listPending` answers. Entries that a consumer of a group was given and has not acked, the oldest first. */
export interface ListPendingOutput {
  entries: readonly ListPendingEntry[]
  /** For the next page; absent on the last one. */
  cursor?: string | undefined
}

/** Told by `listPending`. */
export interface ListPendingEntry {
  id: string
  consumer: string
  idleSeconds: number
  /** Absent where the store does not count. */
  deliveries?: number | undefined
  /** What it is about; absent for one that is no more in the stream. */
  event?: string | undefined
}

/** What `listRepairs` is asked with. */
export interface ListRepairsParams {
  /** How many at most. */
  limit?: number | undefined
}

/** What `listRepairs` answers. The last repairs, the newest first. */
export interface ListRepairsOutput {
  repairs: readonly ListRepairsRepair[]
}

/** Told by `listRepairs`. */
export interface ListRepairsRepair {
  id: number
  host: string
  reason: string
  state: 'listing' | 'fetching' | 'verifying' | 'done' | 'cancelled' | (string & {})
  isPaused: boolean
  since?: string | undefined
  until?: string | undefined
  createdAt: string
  finishedAt?: string | undefined
  listed: number
  current: number
  moved: number
  unknown: number
  inactive: number
  waiting: number
  failed: number
  sampled: number
  diverged: number
  error?: string | undefined
  /** It only compares: nothing is marked or fetched. */
  isDryRun: boolean
}

/** What `listRepos` is asked with. */
export interface ListReposParams {
  /** dirty: marked to be fetched. running: being applied. broken: something before their newest commit may be missing. hidden: not shown to readers. all: whatever is known. */
  state?: 'dirty' | 'running' | 'broken' | 'hidden' | 'all' | (string & {}) | undefined
  /** How many at most. */
  limit?: number | undefined
  /** Where the last page ended. */
  cursor?: string | undefined
}

/** What `listRepos` answers. Accounts in some state, by DID. */
export interface ListReposOutput {
  repos: readonly ListReposRepo[]
  /** For the next page; absent on the last one. */
  cursor?: string | undefined
}

/** Told by `listRepos`. */
export interface ListReposRepo {
  did: string
  handle?: string | undefined
  /** Newest commit that is applied. */
  rev?: string | undefined
  state: string
  /** Why it is in that state. */
  reason?: string | undefined
  since?: string | undefined
  attempts?: number | undefined
  nextAt?: string | undefined
  lastError?: string | undefined
}

/** What `pause` is asked with. */
export interface PauseInput {
  /** A role (ingester, backfiller, indexer), a group, a host or a collection. */
  target: string
  /** What target is, where its name does not tell. */
  kind?: 'role' | 'group' | 'host' | 'collection' | undefined
  /** It goes on by itself after so long. Absent: once it is resumed. */
  forSeconds?: number | undefined
  /** Why, for those who wonder that it stands still. */
  reason: string
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `pause` answers. Has the processes leave something alone, within seconds, until it is resumed or its time is over. A role or a group reads nothing; a host is not read, listed or asked for repos; records of a collection are kept, and become rows of their table once it goes on. */
export interface PauseOutput {
  change: Change
  pause?: Pause | undefined
}

/** What `planTrim` is asked with. */
export interface PlanTrimParams {
  stream: string
  /** What this group has not acked; absent: of all groups that read the stream. */
  group?: string | undefined
  /** end, the id of the last entry to drop, or a time with its zone: what was appended before it. */
  to: string
}

/** What `planTrim` answers. What would be lost if entries were dropped from a stream, or skipped for one of its groups. Acked entries are gone by themselves. */
export interface PlanTrimOutput {
  /** The last entry that would go; absent for an empty stream. */
  to?: string | undefined
  /** When that was appended. */
  until?: string | undefined
  groups: readonly PlanTrimGroup[]
  /** For applyTrim: of what this plan is about. */
  hash: string
}

/** Told by `planTrim`. */
export interface PlanTrimGroup {
  name: string
  /** Entries that it has not acked and that would go; counted up to 10,000. */
  loses: number
  /** One of its consumers is heard of. Nothing is dropped then. */
  isActive: boolean
}

/** What `recount` is asked with. */
export interface RecountInput {
  /** DIDs and AT-URIs whose counts to look at; absent: all there are. */
  subjects?: readonly string[] | undefined
  /** Only these tables of counts. */
  tables?: readonly string[] | undefined
  /** Wrong counts to list of each column. */
  samples?: number | undefined
  /** Where the last call ended. */
  cursor?: string | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `recount` answers. Compares counts with what counting their rows gives, and corrects them, for some 20 seconds at a time. */
export interface RecountOutput {
  change: Change
  columns: readonly RecountColumn[]
  /** To go on with; absent once all was looked at. */
  cursor?: string | undefined
}

/** Told by `recount`. */
export interface RecountColumn {
  table: string
  column: string
  /** Subjects that were looked at. */
  checked: number
  wrong: number
  /** By how much, altogether. */
  tooLow: number
  tooHigh: number
  /** Counts below zero. */
  negative: number
  samples: readonly RecountSample[]
}

/** Told by `recount`. */
export interface RecountSample {
  subject: string
  stored: number
  counted: number
}

/** What `resume` is asked with. */
export interface ResumeInput {
  /** A role (ingester, backfiller, indexer), a group, a host or a collection. */
  target: string
  /** What target is, where its name does not tell. */
  kind?: 'role' | 'group' | 'host' | 'collection' | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `resume` answers. Has the processes go on with what was paused, within seconds. */
export interface ResumeOutput {
  change: Change
}

/** What `resyncRepos` is asked with. */
export interface ResyncReposInput {
  dids: readonly string[]
  /** Derive all their rows anew, also those of records that have not changed. Default: false. */
  reindex?: boolean | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `resyncRepos` answers. Has accounts fetched before all others. */
export interface ResyncReposOutput {
  change: Change
}

/** What `retryDeadLetters` is asked with. */
export interface RetryDeadLettersInput {
  /** Only these. */
  ids?: readonly number[] | undefined
  stream?: string | undefined
  /** The reason that it was given up for. */
  reasonCode?: string | undefined
  fingerprint?: string | undefined
  did?: string | undefined
  /** All that nobody has decided about. */
  all?: boolean | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `retryDeadLetters` answers. Has indexers take letters once more, by the way that events go. Those that would fail at once stay as they are. */
export interface RetryDeadLettersOutput {
  change: Change
  refused: readonly RetryDeadLettersRefused[]
}

/** Told by `retryDeadLetters`. */
export interface RetryDeadLettersRefused {
  id: number
  why: string
}

/** What `retryFailed` is asked with. */
export interface RetryFailedInput {
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `retryFailed` answers. Has repos fetched once more that were given up, or wait because they did not hold. */
export interface RetryFailedOutput {
  change: Change
}

/** What `sendTestAlert` is asked with. */
export interface SendTestAlertInput {
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `sendTestAlert` answers. Sends a message that says it is a test to every webhook, and tells what each answers. */
export interface SendTestAlertOutput {
  change: Change
  deliveries: readonly SendTestAlertDelivery[]
}

/** Told by `sendTestAlert`. */
export interface SendTestAlertDelivery {
  webhook: string
  isDelivered: boolean
  /** Why not. */
  why?: string | undefined
}

/** What `setCursor` is asked with. */
export interface SetCursorInput {
  stream: string
  /** As the ingester has it. */
  host: string
  /** A sequence number; oldest for the first that the host keeps; live for its newest event. */
  to: string
  /** Only if the cursor is this; empty for none. */
  expect?: string | undefined
  /** The host, without scheme: needed when something would be skipped. */
  confirm?: string | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `setCursor` answers. Sets our place in a host. An ingester that reads it has to be stopped, or finds out at its next append and goes on from there. Going forward leaves a gap, which is recorded; going back reads again what is there, which changes nothing. */
export interface SetCursorOutput {
  change: Change
  before?: string | undefined
  after?: string | undefined
}

/** What `silenceAlert` is asked with. */
export interface SilenceAlertInput {
  /** Such as group-stalled. */
  code: string
  /** Only about this; whatever it is about when it is absent. */
  subject?: string | undefined
  /** For how long: 90 days at most. */
  seconds: number
  /** Why, for those who read the audit log. */
  reason: string
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `silenceAlert` answers. Has webhooks told nothing of a kind of alarm, or of one alarm, for a while. Status, health and metrics tell of it as before. */
export interface SilenceAlertOutput {
  expiresAt: string
  change: Change
}

/** What `startRepair` is asked with. */
export interface StartRepairInput {
  /** Without scheme. */
  host: string
  /** Only repos that have moved since. */
  since?: string | undefined
  until?: string | undefined
  /** Fetches nothing: its report tells what would be fetched. A backfiller compares. Default: false. */
  compareOnly?: boolean | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `startRepair` answers. Plans a repair of a host: its repos are compared with ours, and those that have moved are fetched. One that is open already is returned as it is. */
export interface StartRepairOutput {
  change: Change
  /** Its number. */
  repair?: number | undefined
}

/** What `traceSubject` is asked with. */
export interface TraceSubjectParams {
  /** A DID, a handle, the AT-URI of a record, or a link of bsky.app. */
  subject: string
}

/** What `traceSubject` answers. Looks for a record or an account everywhere that it could be: at its PDS, at the relays, in the streams, among what was given up, and in the database. */
export interface TraceSubjectOutput {
  did: string
  /** As it was asked for. */
  handle?: string | undefined
  /** Of a record. */
  uri?: string | undefined
  verdict: Verdict
  steps: readonly TraceSubjectStep[]
}

/** Told by `traceSubject`. */
export interface TraceSubjectStep {
  place: 'identity' | 'pds' | 'relay' | 'stream' | 'dead-letters' | 'database' | 'gaps' | (string & {})
  outcome: 'yes' | 'no' | 'problem' | 'unknown' | (string & {})
  detail: string
}

/** What `unsilenceAlert` is asked with. */
export interface UnsilenceAlertInput {
  /** As it was silenced. */
  code: string
  /** As it was silenced; absent where that was for whatever it is about. */
  subject?: string | undefined
  /** Why, for those who read the audit log. */
  reason?: string | undefined
  /** Only says what would change. Default: false. */
  dryRun?: boolean | undefined
}

/** What `unsilenceAlert` answers. Ends the silence of a kind of alarm, or of one alarm. */
export interface UnsilenceAlertOutput {
  change: Change
}

/** What `verifyRepo` is asked with. */
export interface VerifyRepoParams {
  did: string
}

/** What `verifyRepo` answers. Fetches a repo from its PDS, verifies it, and compares it with ours record by record. Two at a time. */
export interface VerifyRepoOutput {
  did: string
  /** diverged: other records at the same revision. moved: it is at another revision than ours, so that differences may be on their way. gone: there is no repo. invalid: what its PDS has does not hold. */
  result: 'same' | 'diverged' | 'moved' | 'gone' | 'invalid' | (string & {})
  /** Why it does not hold. */
  detail?: string | undefined
  there?: VerifyRepoHead | undefined
  here?: VerifyRepoHead | undefined
  /** Records that it has and we have not. */
  missing: number
  /** Records of which we have another version. */
  stale: number
  /** Records that we have and it has not. */
  extra: number
  /** URIs of some of these. */
  examples: readonly string[]
  /** What makes it right. */
  command?: string | undefined
}

/** Told by `verifyRepo`. */
export interface VerifyRepoHead {
  rev: string
  /** Of its tree. */
  root?: string | undefined
}

/** Every method, by the last part of its name. */
export interface AdminMethods {
  /** Has repos fetched from their own hosts: after all others, or before all others. */
  addRepos: { type: 'procedure'; input: AddReposInput; output: AddReposOutput }
  /** Drops entries that groups have not acked, as planned. Each becomes a dead letter first, which can be put back, and the stream gets a gap, so that all hosts are compared. Goes on for some 30 seconds at a time. */
  applyTrim: { type: 'procedure'; input: ApplyTrimInput; output: ApplyTrimOutput }
  /** Pauses or resumes the fetch of repos that nobody waits for. Those that people ask for, that a firehose has lost or that repairs want go on. */
  controlBackfill: { type: 'procedure'; input: ControlBackfillInput; output: ControlBackfillOutput }
  /** Pauses, resumes or cancels a repair. */
  controlRepair: { type: 'procedure'; input: ControlRepairInput; output: ControlRepairOutput }
  /** Settles letters without another try. They stay, for the record. */
  discardDeadLetters: { type: 'procedure'; input: DiscardDeadLettersInput; output: DiscardDeadLettersOutput }
  /** Puts another payload in place of a letter’s, and has an indexer take it. */
  editDeadLetter: { type: 'procedure'; input: EditDeadLetterInput; output: EditDeadLetterOutput }
  /** Letters with what they hold, the newest first, to keep them elsewhere. */
  exportDeadLetters: { type: 'query'; input: ExportDeadLettersParams; output: ExportDeadLettersOutput }
  /** How far the first fetch of repos is: what waits, how fast it goes, and when it is done. */
  getBackfill: { type: 'query'; input: object; output: GetBackfillOutput }
  /** One dead letter, whole. */
  getDeadLetter: { type: 'query'; input: GetDeadLetterParams; output: GetDeadLetterOutput }
  /** What was given up, like letters together, the most frequent first. */
  getDeadLetterGroups: { type: 'query'; input: GetDeadLetterGroupsParams; output: GetDeadLetterGroupsOutput }
  /** Checks everything that is known to go wrong, each with what was seen, what it means and what to run. Reads catalogues and our own tables, and asks each host for a moment. */
  getDoctorReport: { type: 'query'; input: object; output: GetDoctorReportOutput }
  /** How many rows there are of each hour or day, by the time that readers sort on. Counted by index, and only up to a bound in each: holes show, and a hot table is not read through. */
  getFreshness: { type: 'query'; input: GetFreshnessParams; output: GetFreshnessOutput }
  /** One host: how it stands, our place in it, and what is missing of it. */
  getHost: { type: 'query'; input: GetHostParams; output: GetHostOutput }
  /** How far each group is behind, and how long hosts keep what we have not read. */
  getLag: { type: 'query'; input: object; output: GetLagOutput }
  /** How far groups were behind and how far back hosts could replay, as the admin server has seen it since it was started, for a day at most. */
  getLagHistory: { type: 'query'; input: GetLagHistoryParams; output: GetLagHistoryOutput }
  /** One repair: how far it is, and what it changed. */
  getRepair: { type: 'query'; input: GetRepairParams; output: GetRepairOutput }
  /** All that is kept about one repo, beside its records. */
  getRepo: { type: 'query'; input: GetRepoParams; output: GetRepoOutput }
  /** How the pipeline stands: its streams and groups, its place in each host, and what could not be processed. Reads no entries and no rows, whatever there is of them. */
  getStatus: { type: 'query'; input: object; output: GetStatusOutput }
  /** Alarms that have begun, will if they last, or have just ended; what is silenced; and who is told. Without an admin server at work it is what the last one has kept. */
  listAlerts: { type: 'query'; input: object; output: ListAlertsOutput }
  /** What people changed by hand, the newest first. */
  listAudit: { type: 'query'; input: ListAuditParams; output: ListAuditOutput }
  /** Our place in each host. */
  listCursors: { type: 'query'; input: object; output: ListCursorsOutput }
  /** What was given up, the newest first. */
  listDeadLetters: { type: 'query'; input: ListDeadLettersParams; output: ListDeadLettersOutput }
  /** Entries of a stream, whoever has read them. Nobody is given them. */
  listEntries: { type: 'query'; input: ListEntriesParams; output: ListEntriesOutput }
  /** What may be missing. */
  listGaps: { type: 'query'; input: object; output: ListGapsOutput }
  /** Hosts that are read, and those that repos were fetched from lately: how much each takes, and what fails. */
  listHosts: { type: 'query'; input: ListHostsParams; output: ListHostsOutput }
  /** What is paused, by whom, why and until when. */
  listPauses: { type: 'query'; input: object; output: ListPausesOutput }
  /** Entries that a consumer of a group was given and has not acked, the oldest first. */
  listPending: { type: 'query'; input: ListPendingParams; output: ListPendingOutput }
  /** The last repairs, the newest first. */
  listRepairs: { type: 'query'; input: ListRepairsParams; output: ListRepairsOutput }
  /** Accounts in some state, by DID. */
  listRepos: { type: 'query'; input: ListReposParams; output: ListReposOutput }
  /** Has the processes leave something alone, within seconds, until it is resumed or its time is over. A role or a group reads nothing; a host is not read, listed or asked for repos; records of a collection are kept, and become rows of their table once it goes on. */
  pause: { type: 'procedure'; input: PauseInput; output: PauseOutput }
  /** What would be lost if entries were dropped from a stream, or skipped for one of its groups. Acked entries are gone by themselves. */
  planTrim: { type: 'query'; input: PlanTrimParams; output: PlanTrimOutput }
  /** Compares counts with what counting their rows gives, and corrects them, for some 20 seconds at a time. */
  recount: { type: 'procedure'; input: RecountInput; output: RecountOutput }
  /** Has the processes go on with what was paused, within seconds. */
  resume: { type: 'procedure'; input: ResumeInput; output: ResumeOutput }
  /** Has accounts fetched before all others. */
  resyncRepos: { type: 'procedure'; input: ResyncReposInput; output: ResyncReposOutput }
  /** Has indexers take letters once more, by the way that events go. Those that would fail at once stay as they are. */
  retryDeadLetters: { type: 'procedure'; input: RetryDeadLettersInput; output: RetryDeadLettersOutput }
  /** Has repos fetched once more that were given up, or wait because they did not hold. */
  retryFailed: { type: 'procedure'; input: RetryFailedInput; output: RetryFailedOutput }
  /** Sends a message that says it is a test to every webhook, and tells what each answers. */
  sendTestAlert: { type: 'procedure'; input: SendTestAlertInput; output: SendTestAlertOutput }
  /** Sets our place in a host. An ingester that reads it has to be stopped, or finds out at its next append and goes on from there. Going forward leaves a gap, which is recorded; going back reads again what is there, which changes nothing. */
  setCursor: { type: 'procedure'; input: SetCursorInput; output: SetCursorOutput }
  /** Has webhooks told nothing of a kind of alarm, or of one alarm, for a while. Status, health and metrics tell of it as before. */
  silenceAlert: { type: 'procedure'; input: SilenceAlertInput; output: SilenceAlertOutput }
  /** Plans a repair of a host: its repos are compared with ours, and those that have moved are fetched. One that is open already is returned as it is. */
  startRepair: { type: 'procedure'; input: StartRepairInput; output: StartRepairOutput }
  /** Looks for a record or an account everywhere that it could be: at its PDS, at the relays, in the streams, among what was given up, and in the database. */
  traceSubject: { type: 'query'; input: TraceSubjectParams; output: TraceSubjectOutput }
  /** Ends the silence of a kind of alarm, or of one alarm. */
  unsilenceAlert: { type: 'procedure'; input: UnsilenceAlertInput; output: UnsilenceAlertOutput }
  /** Fetches a repo from its PDS, verifies it, and compares it with ours record by record. Two at a time. */
  verifyRepo: { type: 'query'; input: VerifyRepoParams; output: VerifyRepoOutput }
}

/** Those that only look. */
export const queries: readonly (keyof AdminMethods)[] = ['exportDeadLetters', 'getBackfill', 'getDeadLetter', 'getDeadLetterGroups', 'getDoctorReport', 'getFreshness', 'getHost', 'getLag', 'getLagHistory', 'getRepair', 'getRepo', 'getStatus', 'listAlerts', 'listAudit', 'listCursors', 'listDeadLetters', 'listEntries', 'listGaps', 'listHosts', 'listPauses', 'listPending', 'listRepairs', 'listRepos', 'planTrim', 'traceSubject', 'verifyRepo']
