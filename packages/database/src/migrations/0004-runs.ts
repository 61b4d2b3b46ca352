/** How repos hang together: the chain of their commits, and fetches of whole repos that are not complete yet. */
export const runs = {
  name: '0004-runs',
  sql: `
-- The first commit after others that may be missing, and what it says it follows. Readers are told no revision from
-- there on until a snapshot covers it.
alter table millrace_repo
  add column broken_rev text collate "C",
  add column broken_since text collate "C",
  add column broken_prev_data text,
  -- When a fetch that was asked for was last completed, and how many such came in close succession.
  add column resynced_at timestamptz,
  add column resync_streak integer not null default 0;

-- Who is served first: 0 for people, 1 for what a firehose has lost, 2 for repairs.
alter table millrace_dirty
  add column priority smallint not null default 1,
  add column repair bigint,
  add column reindex boolean not null default false,
  add column last_error text;
drop index millrace_dirty_next_at_idx;
create index millrace_dirty_due_idx on millrace_dirty (priority, next_at);
create index millrace_dirty_repair_idx on millrace_dirty (repair) where repair is not null;

-- Commits that came before the one that they follow, or of which operations are still to come.
create table millrace_commit (
  did text collate "C",
  rev text collate "C",
  commit text not null,
  data text not null,
  since text collate "C",
  prev_data text,
  host text,
  ops integer not null,
  seen int4multirange not null,
  at timestamptz not null default now(),
  primary key (did, rev)
);
create index millrace_commit_at_idx on millrace_commit (at);

-- Fetches of whole repos whose records are being applied. Which of them are is counted here, so that the end is known
-- whatever order they are applied in (hazard B10).
create table millrace_run (
  did text collate "C",
  run text collate "C",
  rev text collate "C" not null,
  host text,
  seen int4multirange not null,
  records integer,
  commit text,
  data text,
  mark text,
  repair bigint,
  reindex boolean not null default false,
  opened_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (did, run)
);
create index millrace_run_updated_at_idx on millrace_run (updated_at);
`,
} as const
