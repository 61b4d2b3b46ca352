import { migrate, openDatabase } from '@millrace/database'

/** A text that looks like the last twelve characters of a TID, spread over all of them. */
const spread = (number: string): string => `substr(translate(md5((${number})::text), '0189', 'ghij'), 1, 12)`
/** As the workload names its accounts, so that new rows come between these. */
const did = (number: string): string =>
  `'did:plc:' || substr(translate(encode(sha256(convert_to('actor' || ${number}, 'UTF8')), 'hex'), '0189', 'aabb'), 1, 24)`

const ACTORS = 4000

/** Makes a database that holds so many likes already, as records and as rows, none of which a workload has. */
export async function prefill(url: string, likes: number): Promise<void> {
  await using database = await openDatabase({ url, statementTimeoutMs: 600_000 })
  await migrate(database)
  await database.pool.query(`
    create temporary table made as
    select
      'at://' || creator || '/app.bsky.feed.like/3' || ${spread('i')} as uri,
      'bafyrei' || substr(translate(md5(i::text) || md5((-i)::text), '0189', 'ghij'), 1, 52) as cid,
      creator, subject, '2025-06-01T00:00:00.000Z' as time,
      'bafyrei' || substr(translate(md5(subject) || md5(creator), '0189', 'ghij'), 1, 52) as "subjectCid"
    from generate_series(1, ${likes}) as i,
    lateral (
      select ${did(`(i % ${ACTORS})`)} as creator,
      'at://' || ${did(`(i / 10 * 7919 % ${ACTORS})`)} || '/app.bsky.feed.post/3' || ${spread('i / 10 + 1000000000')} as subject
    ) as names`)
  await database.pool.query(`
    insert into record (uri, cid, did, json, "indexedAt", rev)
    select uri, cid, creator, json_build_object(
      '$type', 'app.bsky.feed.like', 'subject', json_build_object('uri', subject, 'cid', "subjectCid"), 'createdAt', time
    )::text, time, '3aaaaaaaaaaaa' from made`)
  await database.pool.query(`
    insert into "like" (uri, cid, creator, subject, "subjectCid", "createdAt", "indexedAt")
    select uri, cid, creator, subject, "subjectCid", time, time from made`)
  await database.pool.query('vacuum analyze record')
  await database.pool.query('vacuum analyze "like"')
}
