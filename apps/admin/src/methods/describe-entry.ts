import { jsonObject } from '@millrace/diagnosis'
import { isObject, type StoredFields } from '@millrace/stream-protocol'

const MOST_CHARACTERS = 300

/** What an entry is about, in a few words. What is no event of ours is shown as it is. */
export function describeEntry({ fields }: StoredFields): string {
  const [text = ''] = Object.values(fields)
  const event = jsonObject(text)
  if (!event) return text.slice(0, MOST_CHARACTERS)
  const { type, did, collection, rkey, rev, label } = event
  const words = isObject(label)
    ? ['label', label['val'], label['uri']]
    : typeof collection === 'string'
      ? [type, `at://${String(did)}/${collection}/${String(rkey)}`, rev]
      : [type ?? 'repo', did, rev]
  return words
    .filter((word) => typeof word === 'string')
    .join(' ')
    .slice(0, MOST_CHARACTERS)
}
