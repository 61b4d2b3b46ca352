import { idBefore, type StoredFields, type StreamStore } from '@millrace/stream-protocol'

/** The entry with this id; undefined when it is not in the stream any more. */
export async function readEntry(
  store: Pick<StreamStore, 'read'>,
  stream: string,
  id: string,
): Promise<StoredFields | undefined> {
  const [entry] = await store.read(stream, { after: idBefore(id), limit: 1 })
  return entry?.id === id ? entry : undefined
}
