/** Names that processes hold while they live. */
export const leases = {
  name: '0007-leases',
  sql: `
-- Who goes by a name in a consumer group, and until when, unless it says so again (hazard S8).
create table millrace_lease (
  scope text collate "C",
  name text collate "C",
  holder uuid not null,
  expires_at timestamptz not null,
  taken_at timestamptz not null default now(),
  primary key (scope, name)
);
`,
} as const
