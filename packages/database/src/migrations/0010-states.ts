/** Small values that several processes share, such as what each host takes. They may all be lost: they are learned again. */
export const states = {
  name: '0010-states',
  sql: `
create unlogged table millrace_state (
  scope text collate "C" not null,
  name text collate "C" not null,
  value jsonb not null,
  -- Tells whether somebody else was faster.
  version integer not null,
  updated_at timestamptz not null default now(),
  primary key (scope, name)
);
`,
}
