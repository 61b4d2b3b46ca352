/** What operators have paused, and what is to be made good once they no longer have. */
export const pauses = {
  name: '0011-pauses',
  sql: `
-- A role, a group, a host or a collection that is left alone, until somebody resumes it or its time is over.
create table millrace_pause (
  kind text collate "C" not null,
  name text collate "C" not null,
  reason text not null,
  who text not null,
  since timestamptz not null default now(),
  until timestamptz,
  primary key (kind, name)
);

-- Accounts of which records of a paused collection came, and were not made rows of their table.
create table millrace_paused_repo (
  collection text collate "C",
  did text collate "C",
  primary key (collection, did)
);
`,
} as const
