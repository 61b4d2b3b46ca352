import { object, text, type Json } from './json.ts'

/** What a post embeds, one thing at a time. */
export function embeds(json: Json): Json[] {
  const embed = object(json['embed'])
  if (embed['$type'] !== 'app.bsky.embed.recordWithMedia') return [embed]
  return [{ ...object(embed['record']), $type: 'app.bsky.embed.record' }, object(embed['media'])]
}

/** The records that a post embeds. */
export function embeddedRecords(json: Json): { uri: string; cid: string }[] {
  return embeds(json).flatMap(embeddedRecord)
}

export function embeddedRecord(embed: Json): { uri: string; cid: string }[] {
  if (embed['$type'] !== 'app.bsky.embed.record') return []
  const { uri, cid } = object(embed['record'])
  return [{ uri: text(uri), cid: text(cid) }]
}
