/** What operators do and ask for, and which consumer names processes were configured with. */
export const audit = {
  name: '0009-audit',
  sql: `
-- Every change that somebody made by hand, with what takes it back.
create table millrace_audit (
  id bigserial primary key,
  at timestamptz not null default now(),
  who text not null,
  method text collate "C" not null,
  target text not null,
  reason text,
  before jsonb,
  after jsonb,
  undo text
);

-- Repos of which something may be missing, which are few, for who asks for them.
create index millrace_repo_broken_idx on millrace_repo (did) where broken_rev is not null;

-- The name that a process wanted, also when another one has it (hazard S8).
alter table millrace_lease add column wanted text;
`,
} as const
