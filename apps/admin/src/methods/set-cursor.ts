import { lowerCheckpoint, PostgresLedger } from '@millrace/database'
import { readHead } from '@millrace/diagnosis'
import { cursorKey, hostWithoutScheme, streams } from '@millrace/stream-protocol'
import { audited } from './audited.ts'
import { knownHosts } from './known-hosts.ts'
import { databaseOf, defineMethod, MethodError, noChange, storeOf, wouldChange, type MethodContext } from './method.ts'

/** How long a quiet host may take to send something, in milliseconds. */
const PATIENCE_MS = 10_000

export const setCursor = defineMethod({
  name: 'setCursor',
  role: 'operator',
  run: async ({ stream, host: asked, to, expect, confirm, reason, dryRun = false }, context) => {
    const { cursors } = storeOf(context)
    const name = hostWithoutScheme(asked)
    const known = (await knownHosts(context)).find(
      (each) => each.stream === stream && hostWithoutScheme(each.host) === name,
    )
    if (!known) throw new MethodError('UnknownHost', `no ingester has said to read ${name} into ${stream}`)
    if (stream === streams.repoBackfill)
      throw new MethodError('InvalidRequest', 'a list of repos has cursors that only its host understands')
    const key = cursorKey(stream, known.host)
    const before = await cursors.get(key)
    if (expect !== undefined && expect !== (before ?? ''))
      throw new MethodError('CursorMoved', `the cursor is ${before ?? 'not set'}, not what was expected`)
    const after = await placeOf(to, known.host, stream, context)
    if (after === before) return { change: noChange(`the cursor is ${after} already`, dryRun), before, after }
    const skips = before === null || Number(after) > Number(before)
    const summary = `cursor of ${name} (${stream}): ${before ?? 'none'} to ${after}${skips ? '; what is skipped is a gap' : ''}`
    const answer = { ...(before !== null && { before }), after }
    if (dryRun) return { change: wouldChange(1, summary), ...answer }
    if (skips && confirm !== name)
      throw new MethodError('NotConfirmed', `events would be skipped: repeat it with confirm ${name}`)
    const change = await audited(
      context,
      {
        method: 'setCursor',
        target: `${stream} ${name}`,
        reason,
        before,
        after,
        ...(before !== null && { undo: `millrace cursor set ${name} --stream ${stream} --to ${before} --yes` }),
      },
      async () => {
        // First what says that something may be missing: a crash in between leaves one comparison too many (hazard G3).
        if (skips)
          await new PostgresLedger({ database: databaseOf(context) }).recordGap({
            host: name,
            stream,
            reason: 'cursor-set',
            fromSeq: before ?? undefined,
            toSeq: after,
          })
        await cursors.set(key, after)
        await lowerCheckpoint(databaseOf(context), name, stream, after)
        return { changed: 1, summary }
      },
    )
    return { change, ...answer }
  },
})

async function placeOf(to: string, host: string, stream: string, { sources, signal }: MethodContext): Promise<string> {
  // The host reads 0 as the oldest that it keeps.
  if (to === 'oldest') return '0'
  if (/^\d{1,15}$/.test(to)) return to
  if (to !== 'live') throw new MethodError('InvalidRequest', 'to is a sequence number, oldest or live')
  const method =
    stream === sources.labelStream ? 'com.atproto.label.subscribeLabels' : 'com.atproto.sync.subscribeRepos'
  const head = await readHead({ url: host, method, quietMs: PATIENCE_MS, signal }).catch(() => undefined)
  if (!head)
    throw new MethodError('Unavailable', 'the host sends nothing that would tell its newest number', { status: 503 })
  return String(head.seq - 1)
}
