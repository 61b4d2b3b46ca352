/**
 * Every account keeps its row in `millrace_identity` once its handle is known: it says when the handle is looked at
 * again, and how soon at the earliest (hazard D4). `requested_at` tells other processes that what they know is old
 * (hazard D7).
 */
export const handleSchedule = {
  name: '0003-handle-schedule',
  sql: `
alter table millrace_identity
  -- No look-up begins before, however often it is asked for: one is under way, or was a moment ago.
  add column quiet_until timestamptz not null default '-infinity',
  -- When the newest look-up began, and the newest of which the answer is stored.
  add column asked_at timestamptz,
  add column checked_at timestamptz,
  -- How many look-ups in a row were asked for by events: each makes the pause after it longer.
  add column burst integer not null default 0;

-- What events ask for, what is new, and what is merely looked at again: none of them waits behind the others.
drop index millrace_identity_next_at_idx;
create index millrace_identity_forced_idx on millrace_identity (next_at) where forced;
create index millrace_identity_new_idx on millrace_identity (next_at) where not forced and checked_at is null;
create index millrace_identity_again_idx on millrace_identity (next_at) where not forced and checked_at is not null;

-- Accounts of which somebody else has looked up the handle: at some time of the next day.
insert into millrace_identity (did, next_at, checked_at)
select did, now() + random() * interval '1 day', case when handle is not null then now() end from actor
on conflict (did) do nothing;
`,
} as const
