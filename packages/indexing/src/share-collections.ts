import type { Database } from '@millrace/database'
import type { RecordPlugin } from './plugin.ts'

/** Tells other processes which collections have rows: null for all of them. What compares repos with rows has to know. */
export async function shareCollections(
  { pool }: Database,
  plugins: readonly RecordPlugin[],
  otherCollections: 'record' | 'skip',
): Promise<void> {
  const collections = otherCollections === 'record' ? null : plugins.map((plugin) => plugin.collection.collection)
  await pool.query(
    `insert into millrace_setting (name, value) values ('indexed-collections', $1::jsonb)
     on conflict (name) do update set value = excluded.value, updated_at = now() where millrace_setting.value <> excluded.value`,
    [JSON.stringify(collections)],
  )
}
