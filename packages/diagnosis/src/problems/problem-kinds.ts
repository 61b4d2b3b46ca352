/**
 * - `page`: something is lost, stands still, or soon will: somebody is woken
 * - `ticket`: it works, and somebody looks at it in the day
 * - `advice`: how it is set up; doctors tell it, and it is no alarm
 */
export type Severity = 'page' | 'ticket' | 'advice'

/** A kind of problem: how bad it is, and when people are told of it. */
export interface ProblemKind {
  severity: Severity
  /** What is wrong, in a few words. */
  title: string
  /** How long it has to last before it is an alarm, in seconds. */
  holdSeconds: number
}

/** Most of what pages is no trouble if it is over in two minutes: a restart, a failover. */
const page = (title: string, holdSeconds = 120): ProblemKind => ({ severity: 'page', title, holdSeconds })
const ticket = (title: string, holdSeconds = 600): ProblemKind => ({ severity: 'ticket', title, holdSeconds })
const advice = (title: string): ProblemKind => ({ severity: 'advice', title, holdSeconds: 0 })

/**
 * Every problem that checks can find. Status, health, metrics, alarms and doctor tell of these alone, and each has a
 * section of its name in docs/runbook.md.
 */
export const problemKinds = {
  'store-away': page('The store of streams does not answer'),
  'database-away': page('The database does not answer'),
  // These have been watched for minutes already.
  'group-stalled': page('A group acks nothing although entries wait', 0),
  'group-stopped': page('No consumer of a group is heard of, and entries wait', 0),
  'group-missing': page('Nobody reads a stream that has entries'),
  'group-not-yet': advice('Nobody has read a stream yet'),
  'group-unused': ticket('A group that nobody uses keeps entries'),
  'store-full': page('The store of streams is full'),
  'store-fills': ticket('The store of streams fills up'),
  'store-unlimited': advice('Redis has no memory limit'),
  'store-evicts': page('Redis evicts what it holds'),
  'store-would-evict': advice('Redis would evict if it had a memory limit'),
  'store-not-saving': page('Redis cannot save to disk'),
  'store-not-logged': advice('The append-only file of Redis is off'),
  'store-without-password': advice('Redis is on another machine and asks for no password'),
  'store-replaced': page('The store of streams was emptied, or is another one'),
  'database-restored': page('The database went back to what it was before'),
  'disk-full': page('A disk is full'),
  'disk-fills': ticket('A disk fills up'),
  'schema-newer': page('A newer release has migrated the database'),
  'schema-behind': page('The database lacks migrations'),
  'appview-schema-old': page('The tables of the AppView are too old'),
  'database-read-only': page('The database takes no writes'),
  'database-not-durable': advice('The database may lose what it has confirmed'),
  'database-locks-few': advice('The database has few locks for large batches'),
  'database-connections-short': ticket('The database has few connections left'),
  'database-index-invalid': ticket('An index of the database is not valid'),
  'lock-waits': ticket('A statement waits long for a lock', 120),
  'transaction-left-open': ticket('A transaction is left open', 120),
  'host-away': ticket('A host does not answer'),
  'host-unread': page('No ingester reads a host'),
  'future-cursor': page('A host has lost its sequence: our cursor is beyond its end'),
  'outdated-cursor': page('A host has forgotten what comes after our cursor'),
  'window-half-used': ticket('Half of what a host keeps is used up'),
  'entries-vanished': page('Entries left a stream while they were pending'),
  'entries-lost': ticket('Entries left a stream before they were acked', 0),
  'entries-abandoned': page('A consumer that is gone has entries in hand, and nobody takes them over'),
  'consumer-gone': ticket('A consumer that is gone has entries in hand'),
  'consumer-name-taken': ticket('Two processes have one consumer name'),
  'stream-full': ticket('A stream is at its high water mark'),
  lag: ticket('Entries wait for more than ten minutes'),
  'rows-stale': ticket('Hosts have new events, and no rows come of them'),
  'gap-without-repair': page('Events may be missing, and nobody repairs it'),
  'gap-open': ticket('Events may be missing'),
  'rows-diverged': ticket('Rows were not what their repo is', 0),
  'repair-failures': ticket('Repos of a repair could not be fetched'),
  'repair-stuck': ticket('A repair does not move'),
  'repair-paused': ticket('A repair is paused for long', 86_400),
  'pause-forgotten': ticket('Something was paused without an end, and for long'),
  'pause-over': ticket('A pause is over, and no process has noticed'),
  'run-stuck': ticket('A repo that was fetched is not applied to its end'),
  'dirty-accounts': ticket('Accounts wait for more than a day to be fetched'),
  'future-revs': ticket('Accounts wait because their revisions are in the future'),
  'accounts-overdue': ticket('Hosts are not asked how accounts stand'),
  'dead-letters': ticket('Messages were given up'),
  'clock-skew': page('Clocks are minutes apart'),
  'admin-open': page('The admin server would be open without a password'),
  'private-hosts-allowed': ticket('Strangers can name addresses of our own network'),
} as const satisfies Readonly<Record<string, ProblemKind>>

/** Names a kind of problem, and its section in docs/runbook.md. */
export type ProblemCode = keyof typeof problemKinds

/** All codes of problems; each is a section of the runbook. */
export const problemCodes = Object.keys(problemKinds) as readonly ProblemCode[]

/** Whether somebody is told of it: advice is no alarm. */
export function isAlarmCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemKinds, code) && problemKinds[code as ProblemCode].severity !== 'advice'
}

/** Where the section about a kind of problem, or of alarm, is. */
export function runbookUrl(code: string): string {
  return `https://github.com/millrace/millrace/blob/main/docs/runbook.md#${code}`
}
