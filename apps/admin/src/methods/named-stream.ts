import type { StreamStore } from '@millrace/stream-protocol'
import { MethodError, storeOf, type MethodContext } from './method.ts'

/**
 * The store of streams, once it is known that there is such a stream, and such a group of it: a slip of the pen would
 * look as if nothing were in it. What processes are configured to read counts as there.
 * @throws {MethodError} with those that there are.
 */
export async function storeOfStream(
  { stream, group }: { stream: string; group?: string | undefined },
  context: MethodContext,
): Promise<StreamStore> {
  const store = storeOf(context)
  const { declared } = context.sources
  const isDeclared = declared.some((each) => each.stream === stream && (group === undefined || each.group === group))
  if (isDeclared) return store
  const [found] = await store.status([stream])
  const ofStream = declared.filter((each) => each.stream === stream).map((each) => each.group)
  const readers = new Set([...ofStream, ...(found?.groups.map(({ name }) => name) ?? [])])
  if (readers.size === 0 && (found?.length ?? 0) === 0)
    throw new MethodError(
      'NotFound',
      `there is no stream ${stream}; there are ${listed(declared.map((each) => each.stream))}`,
    )
  if (group !== undefined && !readers.has(group))
    throw new MethodError('NotFound', `${stream} has no group ${group}; it has ${listed(readers)}`)
  return store
}

function listed(names: Iterable<string>): string {
  return [...new Set(names)].join(', ') || 'none'
}
