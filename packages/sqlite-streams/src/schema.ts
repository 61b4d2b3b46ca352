import type { DatabaseSync } from 'node:sqlite'

/** Kept in the file as `user_version`. */
const VERSION = 3

/**
 * `entry.seq` is one ascending number for the whole file, so that appending always writes at the end of the table and
 * the index is as small as can be: an index on `stream` holds `seq` as well. `stream.length` and `stream.bytes` are kept
 * beside the entries, because writers ask for them at every append; `stream.appended` is never reduced.
 */
const tables = `
  create table stream (
    id integer primary key,
    name text not null unique,
    length integer not null default 0,
    bytes integer not null default 0,
    appended integer not null default 0
  ) strict;

  create table entry (
    seq integer primary key,
    stream integer not null references stream,
    field text not null,
    text text not null
  ) strict;
  create index entry_of_stream on entry (stream);

  create table last_seq (seq integer not null) strict;
  insert into last_seq values (0);

  create table consumer_group (
    id integer primary key,
    stream integer not null references stream,
    name text not null,
    delivered integer not null default 0,
    unique (stream, name)
  ) strict;

  create table consumer (
    id integer primary key,
    consumer_group integer not null references consumer_group,
    name text not null,
    seen_at integer not null,
    unique (consumer_group, name)
  ) strict;

  create table pending (
    consumer_group integer not null references consumer_group,
    seq integer not null,
    consumer integer not null references consumer,
    delivered_at integer not null,
    primary key (consumer_group, seq)
  ) strict, without rowid;

  create table cursor (
    key text primary key,
    value text not null
  ) strict, without rowid;
`

/** What brings a file from each version, beginning with the first, to the next one. */
const upgrades = [
  `alter table stream add column bytes integer not null default 0;
   update stream set bytes = (select coalesce(sum(octet_length(text)), 0) from entry where entry.stream = stream.id);`,
  `alter table stream add column appended integer not null default 0;
   update stream set appended = length;`,
]

/** Creates the tables in an empty file, and brings those of an older version up to date. Several processes may do so at once: one of them will. */
export function createSchema(db: DatabaseSync, file: string): void {
  if (versionOf(db) === VERSION) return
  db.exec('begin immediate')
  try {
    const version = versionOf(db)
    if (version > VERSION) throw new Error(`${file} was written by a newer version (${version}, known is ${VERSION})`)
    if (version < VERSION)
      db.exec(`${version === 0 ? tables : upgrades.slice(version - 1).join('\n')} pragma user_version = ${VERSION};`)
    db.exec('commit')
  } catch (error) {
    db.exec('rollback')
    throw error
  }
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('pragma user_version').get()?.['user_version'])
}
