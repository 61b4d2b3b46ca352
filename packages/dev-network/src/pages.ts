import { XrpcError } from './http.ts'

/** One page of a list. The cursor is opaque to clients: nothing in it may be counted on. */
export function pageOf<T>(all: readonly T[], url: URL, defaultLimit: number): { items: T[]; cursor?: string } {
  const limit = Math.min(1000, Number(url.searchParams.get('limit') ?? defaultLimit))
  const cursor = url.searchParams.get('cursor')
  const start = cursor === null ? 0 : Number(/^after-(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1])
  if (!Number.isSafeInteger(limit) || limit < 1 || !Number.isSafeInteger(start)) {
    throw new XrpcError(400, 'InvalidRequest', 'bad limit or cursor')
  }
  const end = start + limit
  const items = all.slice(start, end)
  return end < all.length ? { items, cursor: Buffer.from(`after-${end}`).toString('base64url') } : { items }
}
