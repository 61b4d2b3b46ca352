/**
 * What the pipeline remembers beside the rows, in the same database so that it commits with them.
 *
 * Revisions and keys that are compared are `collate "C"`: a revision orders by its bytes, whatever the database's
 * language.
 */
export const bookkeeping = {
  name: '0001-bookkeeping',
  sql: `
-- One row per repo: the newest commit whose operations are all applied, and the newest snapshot that was completed.
create table millrace_repo (
  did text collate "C" primary key,
  head_rev text collate "C",
  head_commit text,
  head_data text,
  floor_rev text collate "C",
  updated_at timestamptz not null default now()
);

-- What is left of a deleted record, so that an older version that arrives later stays out (hazard G7).
create table millrace_tombstone (
  uri text collate "C" primary key,
  did text collate "C" not null,
  rev text collate "C" not null,
  deleted_at timestamptz not null default now()
);
create index millrace_tombstone_did_idx on millrace_tombstone (did);

-- Pipelines that had a revision in \`record\` left deleted records there as blank rows, on which the AppView fails.
do $$
begin
  if exists (
    select from pg_attribute where attrelid = 'record'::regclass and attname = 'rev' and not attisdropped
  ) then
    with blank as (delete from record where json = '' returning uri, did, rev)
    insert into millrace_tombstone (uri, did, rev) select uri, did, coalesce(rev, '') from blank;
  end if;
end
$$;

-- The revision a record was last changed at. Readers of the AppView name their columns, and pass over this one.
alter table record add column if not exists rev varchar collate "C";

-- Replies that no parent leads to, so that whatever changes about their thread finds them. Valid ones have a parent.
create index if not exists millrace_post_invalid_reply_idx on post ("replyRoot") where "invalidReplyRoot";

-- Accounts whose handle has to be looked up. A queue of its own, so that no record waits for DNS (hazard D12).
create table millrace_identity (
  did text collate "C" primary key,
  requested_at timestamptz not null default now(),
  next_at timestamptz not null default now(),
  attempts integer not null default 0,
  forced boolean not null default false,
  last_error text
);
create index millrace_identity_next_at_idx on millrace_identity (next_at);

-- What each host last said about an account, with that host's own sequence number (hazard I22).
create table millrace_account_status (
  did text collate "C",
  host text collate "C",
  active boolean not null,
  status text,
  seq bigint not null,
  time text not null,
  primary key (did, host)
);

-- Accounts whose repo, identity and status have to be looked at again (hazard G4).
create table millrace_dirty (
  did text collate "C" primary key,
  reason text not null,
  host text,
  rev text collate "C",
  since timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  attempts integer not null default 0,
  next_at timestamptz not null default now()
);
create index millrace_dirty_next_at_idx on millrace_dirty (next_at);
create index millrace_dirty_since_idx on millrace_dirty (since);

-- Intervals of a host's events that we may not have. At most one is open per host, stream and reason.
create table millrace_gap (
  id bigserial primary key,
  host text collate "C" not null,
  stream text collate "C" not null,
  reason text collate "C" not null,
  from_seq text,
  to_seq text,
  opened_at timestamptz not null default now(),
  closed_at timestamptz
);
create unique index millrace_gap_open_key on millrace_gap (host, stream, reason) where closed_at is null;

-- Messages that were given up, each with what is needed to understand and to repeat it (hazard G1).
create table millrace_dead_letter (
  id bigserial primary key,
  stream text collate "C" not null,
  entry_id text collate "C" not null,
  reason text collate "C" not null,
  error text not null,
  did text,
  uri text collate "C",
  host text,
  payload text not null,
  attempts integer not null default 1,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  state text collate "C" not null default 'open'
);
create unique index millrace_dead_letter_entry_key on millrace_dead_letter (stream, entry_id, (coalesce(uri, '')));
create index millrace_dead_letter_state_reason_idx on millrace_dead_letter (state, reason);
create index millrace_dead_letter_did_idx on millrace_dead_letter (did);
`,
} as const
