/**
 * Dead letters that people can decide about: which ones are alike, and what was decided.
 *
 * Alike are those whose reason and error are the same but for numbers, hashes, accounts, URIs and names. Words in quotes
 * stay where they may be columns or fields, and go where they are anything else.
 */
export const deadLetters = {
  name: '0008-dead-letters',
  sql: String.raw`
alter table millrace_dead_letter alter column state set default 'kept';
update millrace_dead_letter set state = 'kept' where state = 'open';
alter table millrace_dead_letter
  -- kept: nobody has decided. retry: an indexer is to take it once more. replayed: one has. discarded: nobody shall.
  -- purged: what it was about is deleted, and its payload gone.
  add constraint millrace_dead_letter_state_check check (state in ('kept', 'retry', 'replayed', 'discarded', 'purged')),
  -- How often it was put back for an indexer: tells one replay from the next.
  add column retries integer not null default 0,
  add column fingerprint text collate "C" not null generated always as (left(md5(reason || ' ' ||
    regexp_replace(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            regexp_replace(
              regexp_replace(
                replace(error, coalesce(host, ''), 'HOST') collate "C",
                'at://[^[:space:]"'']+', 'URI', 'g'),
              'did:[a-z]+:[A-Za-z0-9._:%-]+', 'DID', 'g'),
            '"[A-Za-z0-9_.$#]*[^A-Za-z0-9_.$#"][^"]*"', 'TEXT', 'g'),
          '@[A-Za-z0-9.-]+', 'NAME', 'g'),
        '\m(?=[A-Za-z]*[0-9])[A-Za-z0-9]{13,}\M', 'HASH', 'g'),
      '[0-9]+', 'N', 'g')
  ), 12)) stored;
drop index millrace_dead_letter_state_reason_idx;
create index millrace_dead_letter_state_kind_idx on millrace_dead_letter (state, stream, reason, fingerprint);
create index millrace_dead_letter_retry_idx on millrace_dead_letter (stream, id) where state = 'retry';
`,
} as const
