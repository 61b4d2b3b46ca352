/** What heals by itself: the upstreams that are read, and repairs of the intervals that may have been lost. */
export const repairs = {
  name: '0005-repairs',
  sql: `
-- Hosts that this pipeline reads, as the processes that read them say. The checkpoint is a sequence number up to which
-- every entry has left its stream: where to go on from when the stream's own cursor is lost (hazard I4).
create table millrace_upstream (
  host text collate "C",
  stream text collate "C",
  url text not null,
  checkpoint bigint,
  checkpoint_at timestamptz,
  first_seen_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  primary key (host, stream)
);

-- Comparisons of a host's repos with ours. At most one is open per host.
create table millrace_repair (
  id bigserial primary key,
  host text collate "C" not null,
  reason text not null,
  since timestamptz,
  until timestamptz,
  dry_run boolean not null default false,
  reindex boolean not null default false,
  state text collate "C" not null default 'listing',
  paused boolean not null default false,
  list_cursor text,
  listed bigint not null default 0,
  inactive bigint not null default 0,
  current bigint not null default 0,
  moved bigint not null default 0,
  unknown bigint not null default 0,
  failed bigint not null default 0,
  sampled integer not null default 0,
  diverged integer not null default 0,
  error text,
  leased_until timestamptz not null default '-infinity',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  finished_at timestamptz
);
create unique index millrace_repair_open_key on millrace_repair (host) where finished_at is null;

-- What the runs of a repair changed, by collection.
create table millrace_repair_count (
  repair bigint,
  collection text collate "C",
  created bigint not null default 0,
  updated bigint not null default 0,
  deleted bigint not null default 0,
  unchanged bigint not null default 0,
  primary key (repair, collection)
);

-- Whether a record went because its newest version is no record: the mark stays for as long as that version does.
alter table millrace_tombstone add column invalid boolean not null default false;

-- What processes tell each other of how they were configured.
create table millrace_setting (
  name text collate "C" primary key,
  value jsonb not null,
  updated_at timestamptz not null default now()
);

-- The time that a gap spans, and the repair that is to close it.
alter table millrace_gap
  add column since timestamptz,
  add column until timestamptz,
  add column repair bigint;
`,
} as const
