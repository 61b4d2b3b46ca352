/**
 * What labelers have said, as far as it decides what readers see in `label`. Both sides are kept, so that what comes
 * late or again changes nothing (hazard L3). Rows that an older pipeline left in `label` are taken over when their
 * label is next spoken of.
 */
export const labels = {
  name: '0002-labels',
  sql: `
-- The newest label of each row of \`label\`, also while it is taken back. \`cts\` is an instant with nine digits of a
-- second; the place is the sequence number at a host, counted anew (\`epoch\`) when the host lost its numbers. An epoch
-- of -1 says that the place is not known.
create table millrace_label (
  src text collate "C",
  uri text collate "C",
  val text collate "C",
  cid text collate "C",
  cts text collate "C" not null,
  host text collate "C" not null,
  epoch integer not null,
  seq bigint not null,
  exp text,
  primary key (src, uri, val, cid)
);

-- How far a label was taken back, whatever version it is about: the newest time and the highest number of each sequence.
create table millrace_label_negation (
  src text collate "C",
  uri text collate "C",
  val text collate "C",
  host text collate "C",
  epoch integer,
  seq bigint not null,
  cts text collate "C" not null,
  primary key (src, uri, val, host, epoch)
);
`,
} as const
