/** What is decided about accounts that are not simply there, and the questions to their PDS. */
export const accounts = {
  name: '0006-accounts',
  sql: `
-- Sequence numbers count within one epoch of a host: they begin anew when the host has lost them.
alter table millrace_account_status add column epoch integer not null default 0;

-- Accounts that are hidden, or whose PDS is to be asked about them. Those that are seen, and have nothing pending, have
-- no row.
create table millrace_account (
  did text collate "C" primary key,
  -- Why readers do not see it, as in actor."upstreamStatus"; null while they do.
  hidden text,
  -- Nothing more of it is applied, because a firehose or its PDS says that it is inactive.
  held boolean not null default false,
  -- All that its records contributed is to go, or has gone.
  deleted boolean not null default false,
  -- What its PDS has answered since a firehose last said something about it: active, inactive, unknown or tombstoned.
  answer text collate "C",
  answer_status text,
  asked_at timestamptz,
  -- The question, in a queue of its own so that no record waits for a host (hazards D9, D12). Null when there is none.
  requested_at timestamptz not null default now(),
  next_at timestamptz,
  attempts integer not null default 0,
  last_error text
);
create index millrace_account_next_at_idx on millrace_account (next_at) where next_at is not null;

insert into millrace_account (did, hidden, held, deleted)
select did, min(coalesce(status, 'inactive')), bool_or(seq >= 0), bool_or(status = 'deleted' and seq >= 0)
from millrace_account_status where not active group by did;
`,
} as const
