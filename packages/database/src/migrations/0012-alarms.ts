/** What is told to people, so that a restart of who tells them does not tell it again, and what they do not want to hear. */
export const alarms = {
  name: '0012-alarms',
  sql: `
-- Problems that have been told, or may be: each kind once for what it is about.
create table millrace_alarm (
  code text collate "C" not null,
  subject text collate "C" not null,
  severity text collate "C" not null,
  message text not null,
  meaning text not null,
  command text not null,
  since timestamptz not null,
  seen_at timestamptz not null,
  opened_at timestamptz,
  ended_at timestamptz,
  -- When each receiver was last told that it is there.
  told jsonb not null default '{}',
  primary key (code, subject)
);

-- Kinds of alarms, or single ones, that nobody is told of for a while.
create table millrace_silence (
  id bigserial primary key,
  code text collate "C" not null,
  subject text collate "C",
  reason text not null,
  who text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
`,
} as const
