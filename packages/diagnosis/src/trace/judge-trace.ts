import type { KeptLetter } from '@millrace/database'
import { valueOf } from '../answer.ts'
import { ago } from '../words.ts'
import type { RecordFacts, StoredFacts, StreamFacts, TraceFacts } from './facts.ts'
import type { TraceCode, TraceLevel, TraceVerdict } from './trace.ts'

/** What it all comes to. A function of facts: the first thing that explains what readers see is the verdict. */
export function judgeTrace(facts: TraceFacts): TraceVerdict {
  const stored = valueOf(facts.database)
  if (!stored) {
    return verdict(
      'database-away',
      'unknown',
      `The database does not answer: ${whyOf(facts)}.`,
      'millrace doctor --direct',
    )
  }
  return judgeAccount(facts, stored) ?? (facts.subject.record ? judgeRecord(facts, stored) : judgeRepo(facts, stored))
}

function whyOf({ database }: TraceFacts): string {
  return database.ok ? '' : database.why
}

/** An account that is not to be seen explains all that is not seen of it. */
function judgeAccount(facts: TraceFacts, { account }: StoredFacts): TraceVerdict | undefined {
  const { did } = facts.subject
  const identity = valueOf(facts.identity)
  const pds = valueOf(facts.pds)
  if (account.actor?.takedownRef != null)
    return verdict('taken-down', 'fine', 'The account was taken down here, by a moderator of this AppView.')
  const hidden = account.account?.hidden ?? account.actor?.upstreamStatus ?? undefined
  if (hidden !== undefined) {
    if (pds?.isKnown === true && pds.active)
      return verdict(
        'status-differs',
        'act',
        `The account is hidden here (${hidden}), and its PDS says that it is active: it has to be asked again.`,
        `millrace resync ${did}`,
      )
    return verdict(
      'account-inactive',
      'fine',
      `The account is ${hidden}: nothing of it is shown until its host says that it is active again.`,
    )
  }
  if (identity?.kind === 'tombstoned')
    return verdict('account-gone', 'fine', 'The account is gone for good: its DID was given up.')
  if (pds?.isKnown === true && !pds.active)
    return verdict(
      'account-inactive',
      'wait',
      `Its PDS says that the account is ${pds.status ?? 'inactive'}; here that was not heard of yet.`,
      `millrace resync ${did}`,
    )
  return undefined
}

function judgeRecord(facts: TraceFacts, stored: StoredFacts): TraceVerdict {
  const { did, record } = facts.subject
  const { row, tombstone, duplicateOf, typed } = stored.record ?? noRecord
  const pds = valueOf(facts.pds)
  if (!facts.pds.ok || !pds) return judgeWithoutPds(facts, stored)
  const cid = pds.record?.cid ?? null
  if (cid === null) {
    if (row) return onItsWay(facts, stored) ?? leftOver(did)
    return notThere(tombstone)
  }
  if (row?.cid === cid) {
    if (row.takedownRef !== null)
      return verdict('taken-down', 'fine', 'The record was taken down here, by a moderator of this AppView.')
    if (typed && !typed.isThere) {
      if (duplicateOf !== undefined)
        return verdict(
          'duplicate',
          'fine',
          `Another record says the same and came first: ${duplicateOf}. Readers see that one; this one takes its place when it is deleted.`,
        )
      return verdict(
        'not-derived',
        'act',
        `The record is here, and its row in ${typed.table} is not.`,
        `millrace resync ${did} --reindex`,
      )
    }
    return verdict('indexed', 'fine', 'It is indexed, as its PDS has it.')
  }
  return onItsWay(facts, stored) ?? (row ? stale(did, row.rev) : missing(did, record!.collection))
}

const noRecord: RecordFacts = { labels: [] }

/** Without the PDS nobody knows what there should be; what is here, or on its way, is known all the same. */
function judgeWithoutPds(facts: TraceFacts, stored: StoredFacts): TraceVerdict {
  const { row, tombstone } = stored.record ?? noRecord
  const why = facts.pds.ok ? '' : facts.pds.why
  if (valueOf(facts.identity)?.kind === 'absent')
    return verdict('not-on-pds', 'fine', 'There is no such account: its DID has no document.')
  const way = onItsWay(facts, stored)
  if (way) return way
  if (tombstone && !row)
    return verdict(
      'deleted',
      'fine',
      `It was deleted, at revision ${tombstone.rev}. (Its PDS could not be asked: ${why}.)`,
    )
  return verdict(
    'pds-away',
    'unknown',
    `${row ? 'It is indexed' : 'It is not indexed'}; whether that is right, its PDS would know, which does not answer: ${why}.`,
  )
}

function notThere(tombstone: RecordFacts['tombstone']): TraceVerdict {
  return tombstone
    ? verdict(
        'deleted',
        'fine',
        `It was deleted, at revision ${tombstone.rev}: its PDS does not have it, and neither have we.`,
      )
    : verdict('not-on-pds', 'fine', 'Its PDS does not have it, and nothing was ever heard of it here.')
}

/** Why what is here is not yet what is there. In the order in which it would come right. */
function onItsWay(facts: TraceFacts, stored: StoredFacts): TraceVerdict | undefined {
  return (
    filtered(facts, stored) ??
    inStreams(valueOf(facts.streams) ?? [], facts) ??
    deadLetter(lettersOf(facts, stored)) ??
    marked(facts, stored) ??
    inGap(stored)
  )
}

function inStreams(streams: readonly StreamFacts[], { subject }: TraceFacts): TraceVerdict | undefined {
  for (const { stream, found, groups } of streams) {
    const entry = found.at(-1)
    if (!entry) continue
    for (const { group, pending, waiting, isDeserted } of groups) {
      if (isDeserted)
        return verdict(
          'deserted',
          'act',
          `It waits in ${stream} (entry ${entry.id}), and no consumer of ${group} is heard of: start an ${readerOf(stream)}.`,
          'millrace doctor',
        )
      if (pending)
        return verdict(
          'pending',
          'wait',
          `${pending.consumer} of ${group} has had it in hand for ${ago(pending.idleSeconds)} (entry ${entry.id} of ${stream}${pending.deliveries === null || pending.deliveries < 2 ? '' : `, given out ${pending.deliveries} times`}), and has not acked it.`,
          `millrace pending ${stream} ${group}`,
        )
      return verdict(
        'waiting',
        'wait',
        `It waits in ${stream} (entry ${entry.id}): ${group} has ${waiting} entries to go through.`,
        'millrace lag',
      )
    }
    return verdict(
      'deserted',
      'act',
      `It waits in ${stream} (entry ${entry.id}), which no group reads: start an ${readerOf(stream)}.`,
      `millrace trace ${subject.record?.uri ?? subject.did}`,
    )
  }
  return undefined
}

function readerOf(stream: string): string {
  return stream.includes('repo_backfill') ? 'backfiller' : 'indexer'
}

/** Letters about single records say nothing about the repo as a whole. */
function lettersOf({ subject }: TraceFacts, { letters }: StoredFacts): readonly KeptLetter[] {
  return subject.record ? letters : letters.filter(({ uri }) => uri === null)
}

function deadLetter(letters: readonly KeptLetter[]): TraceVerdict | undefined {
  const letter =
    letters.find(({ state }) => state === 'kept' || state === 'discarded') ??
    letters.find(({ state }) => state === 'retry')
  if (!letter) return undefined
  if (letter.state === 'retry')
    return verdict(
      'waiting',
      'wait',
      `It was given up (${letter.reason}), and waits to be tried once more.`,
      `millrace dlq show ${letter.id}`,
    )
  return verdict(
    'dead-letter',
    'act',
    `It was given up${letter.state === 'discarded' ? ' and discarded' : ''}: ${letter.reason} (${firstLine(letter.error)}).`,
    `millrace dlq show ${letter.id}`,
  )
}

function firstLine(error: string): string {
  return (error.split('\n')[0] ?? '').slice(0, 200)
}

function filtered(
  { subject: { record } }: TraceFacts,
  { collections, record: row }: StoredFacts,
): TraceVerdict | undefined {
  if (!record || collections === null || collections.includes(record.collection) || row?.row) return undefined
  return verdict(
    'filtered',
    'fine',
    `Records of ${record.collection} are not indexed here: INDEXER_OTHER_COLLECTIONS is skip, and no plugin knows it.`,
  )
}

function marked({ now, subject }: TraceFacts, { account: { run, dirty } }: StoredFacts): TraceVerdict | undefined {
  if (run)
    return verdict(
      'resync-running',
      'wait',
      `Its repo was fetched at revision ${run.rev}, ${ago((now - run.openedAt.getTime()) / 1_000)} ago, and is being applied.`,
    )
  if (!dirty) return undefined
  const due = (dirty.nextAt.getTime() - now) / 1_000
  const when = Number.isFinite(due)
    ? due > 0
      ? `in ${ago(due)}`
      : 'as soon as a backfiller comes to it'
    : 'when its repair goes on, which is paused'
  const tried =
    dirty.attempts > 0
      ? ` It was tried ${dirty.attempts} times: ${firstLine(dirty.lastError ?? 'no reason is known')}.`
      : ''
  return verdict(
    'resync-waiting',
    'wait',
    `Its repo is marked to be fetched (${dirty.reason}), ${when}.${tried}`,
    `millrace resync ${subject.did}`,
  )
}

function inGap({ gaps }: StoredFacts): TraceVerdict | undefined {
  const [gap] = gaps
  if (!gap) return undefined
  const host = gap.host === '' ? 'a host' : gap.host
  return gap.repair === null
    ? verdict(
        'gap',
        'act',
        `Events of ${host} may be missing (${gap.reason}), and this is likely to be one. No repair is planned yet.`,
        `millrace repair${gap.host === '' ? '' : ` --host ${gap.host}`}`,
      )
    : verdict(
        'gap',
        'wait',
        `Events of ${host} may be missing (${gap.reason}), and this is likely to be one. Repair ${gap.repair} is to bring it.`,
        `millrace repair show ${gap.repair}`,
      )
}

function stale(did: string, rev: string | null): TraceVerdict {
  return verdict(
    'stale',
    'act',
    `What is here is an older version${rev === null ? '' : `, of revision ${rev}`}; its PDS has a newer one, and nothing that would bring it is on its way.`,
    `millrace resync ${did}`,
  )
}

function missing(did: string, collection: string): TraceVerdict {
  return verdict(
    'missing',
    'act',
    `Its PDS has it, and it is nowhere here: no row, no entry of a stream, no dead letter, and no known gap (${collection}).`,
    `millrace resync ${did}`,
  )
}

function leftOver(did: string): TraceVerdict {
  return verdict(
    'left-over',
    'act',
    'It is here, and its PDS does not have it any more: its deletion was missed.',
    `millrace resync ${did}`,
  )
}

function judgeRepo(facts: TraceFacts, stored: StoredFacts): TraceVerdict {
  const { did } = facts.subject
  const { repo } = stored.account
  const pds = valueOf(facts.pds)
  if (valueOf(facts.identity)?.kind === 'absent')
    return verdict('not-on-pds', 'fine', 'There is no such account: its DID has no document.')
  if (pds?.isKnown === false) return verdict('account-gone', 'fine', 'Its PDS does not know the account.')
  const isCurrent = repo?.head != null && repo.broken === null && (pds?.rev === undefined || repo.head >= pds.rev)
  if (isCurrent) {
    const letters = stored.letters.filter(({ state }) => state === 'kept')
    if (letters.length > 0)
      return verdict(
        'dead-letter',
        'act',
        `The account is here at revision ${repo.head}, but for ${letters.length} that were given up.`,
        `millrace dlq list --did ${did}`,
      )
    return facts.pds.ok
      ? verdict('indexed', 'fine', `The account is here, at the revision of its PDS: ${repo.head}.`)
      : verdict(
          'pds-away',
          'unknown',
          `The account is here at revision ${repo.head}; its PDS, which may be further, does not answer: ${facts.pds.why}.`,
        )
  }
  const way = onItsWay(facts, stored)
  if (way) return way
  if (repo?.broken != null)
    return verdict(
      'missing',
      'act',
      `Something before revision ${repo.broken} may be missing, and nothing that would bring it is on its way.`,
      `millrace resync ${did}`,
    )
  if (!facts.pds.ok)
    return verdict('pds-away', 'unknown', `Nothing is known of it here, and its PDS does not answer: ${facts.pds.why}.`)
  return repo?.head == null
    ? verdict(
        'missing',
        'act',
        'Nothing of the account is here, and nothing that would bring it is on its way.',
        `millrace resync ${did}`,
      )
    : verdict(
        'stale',
        'act',
        `The account is here at revision ${repo.head}; its PDS is at ${pds?.rev}, and nothing that would bring it is on its way.`,
        `millrace resync ${did}`,
      )
}

function verdict(code: TraceCode, level: TraceLevel, sentence: string, command?: string): TraceVerdict {
  return { code, level, sentence, ...(command !== undefined && { command }) }
}
