/**
 * The tables that the AppView (`@atproto/bsky`) reads, in the shape that its own migrations lead to: same names of
 * constraints and indexes, same order of columns. It runs with an empty schema first in the search path.
 */
export const appViewSchema = `
-- Records of any collection, and which of several took a unique pair.

create table record (
  uri varchar primary key,
  cid varchar not null,
  did varchar not null,
  json text not null,
  "indexedAt" varchar not null,
  "takedownRef" varchar,
  tags jsonb
);
create index record_did_idx on record (did);

create table duplicate_record (
  uri varchar primary key,
  cid varchar not null,
  "duplicateOf" varchar not null,
  "indexedAt" varchar not null
);
create index duplicate_record_duplicate_of_idx on duplicate_record ("duplicateOf");

-- Accounts.

create table actor (
  did varchar primary key,
  handle varchar unique,
  "indexedAt" varchar not null,
  "takedownRef" varchar,
  "upstreamStatus" varchar,
  "trustedVerifier" boolean not null default false,
  "ageAssuranceStatus" text,
  "ageAssuranceLastInitiatedAt" varchar,
  "ageAssuranceAccess" text,
  "ageAssuranceCountryCode" text,
  "ageAssuranceRegionCode" text
);
create index actor_handle_tgrm_idx on actor using gist (handle gist_trgm_ops);

create table actor_sync (
  did varchar primary key,
  "commitCid" varchar not null,
  "repoRev" varchar
);

create table actor_state (
  did varchar primary key,
  "lastSeenNotifs" varchar not null,
  "priorityNotifs" boolean not null default false
);

create table profile (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "displayName" varchar,
  description varchar,
  "avatarCid" varchar,
  "bannerCid" varchar,
  "indexedAt" varchar not null,
  "joinedViaStarterPackUri" varchar,
  "createdAt" varchar not null,
  "pinnedPost" varchar,
  "pinnedPostCid" varchar
);
create index profile_creator_idx on profile (creator);
create index profile_display_name_tgrm_idx on profile using gist ("displayName" gist_trgm_ops);
create index profile_starter_pack_joined_idx on profile ("joinedViaStarterPackUri", "createdAt");

create table profile_agg (
  did varchar primary key,
  "followersCount" bigint not null default 0,
  "followsCount" bigint not null default 0,
  "postsCount" bigint not null default 0
);

-- Posts, what they embed, and what is derived from them.

create table post (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  text varchar not null,
  "replyRoot" varchar,
  "replyRootCid" varchar,
  "replyParent" varchar,
  "replyParentCid" varchar,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  langs jsonb,
  "invalidReplyRoot" boolean,
  "violatesThreadGate" boolean,
  tags jsonb,
  "violatesEmbeddingRules" boolean,
  "hasThreadGate" boolean,
  "hasPostGate" boolean
);
create index post_creator_cursor_idx on post (creator, "sortAt", cid);
create index post_order_by_idx on post ("sortAt", cid);
create index post_replyparent_idx on post ("replyParent") include (uri);

create table post_agg (
  uri varchar primary key,
  "likeCount" bigint not null default 0,
  "replyCount" bigint not null default 0,
  "repostCount" bigint not null default 0,
  "quoteCount" bigint not null default 0,
  "bookmarkCount" bigint not null default 0
);

create table post_embed_image (
  "postUri" varchar not null,
  position varchar not null,
  "imageCid" varchar not null,
  alt varchar not null,
  primary key ("postUri", position)
);

create table post_embed_gallery_image (
  "postUri" varchar not null,
  position varchar not null,
  "imageCid" varchar not null,
  alt varchar not null,
  primary key ("postUri", position)
);

create table post_embed_video (
  "postUri" varchar primary key,
  "videoCid" varchar not null,
  alt varchar
);

create table post_embed_external (
  "postUri" varchar primary key,
  uri varchar not null,
  title varchar not null,
  description varchar not null,
  "thumbCid" varchar
);

create table post_embed_record (
  "postUri" varchar not null,
  "embedUri" varchar not null,
  "embedCid" varchar not null,
  primary key ("postUri", "embedUri")
);

create table quote (
  uri varchar primary key,
  cid varchar not null,
  subject varchar not null,
  "subjectCid" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null
);
create index quote_subject_cursor_idx on quote (subject, "sortAt", cid);

create table op_thread_reply (
  "rootUri" varchar not null,
  "parentUri" varchar not null,
  uri varchar not null,
  "deletedAt" varchar,
  primary key ("rootUri", uri)
);

create table feed_item (
  uri varchar primary key,
  cid varchar not null,
  type varchar not null,
  "postUri" varchar not null,
  "originatorDid" varchar not null,
  "sortAt" varchar not null
);
create index feed_item_cursor_idx on feed_item ("sortAt", cid);
create index feed_item_originator_cursor_idx on feed_item ("originatorDid", "sortAt", cid);
create index feed_item_post_uri_idx on feed_item ("postUri");

create table thread_gate (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "postUri" varchar not null unique,
  "createdAt" varchar not null,
  "indexedAt" varchar not null
);

create table post_gate (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "postUri" varchar not null unique,
  "createdAt" varchar not null,
  "indexedAt" varchar not null
);

-- Relations between accounts, posts and lists.

create table "like" (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  subject varchar not null,
  "subjectCid" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  via varchar,
  "viaCid" varchar,
  constraint like_unique_subject unique (subject, creator)
);
create index like_creator_cursor_idx on "like" (creator, "sortAt", cid);
create index like_subject_sort_at_creator_idx on "like" (subject, "sortAt" desc) include (creator);

create table repost (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  subject varchar not null,
  "subjectCid" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  via varchar,
  "viaCid" varchar,
  constraint repost_unique_subject unique (creator, subject)
);
create index repost_order_by_idx on repost ("sortAt", cid);
create index repost_subject_idx on repost (subject);

create table follow (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "subjectDid" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  constraint follow_unique_subject unique (creator, "subjectDid")
);
create index follow_creator_cursor_idx on follow (creator, "sortAt", cid);
create index follow_subject_cursor_idx on follow ("subjectDid", "sortAt", cid);

create table actor_block (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "subjectDid" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  constraint actor_block_unique_subject unique (creator, "subjectDid")
);
create index actor_block_subjectdid_idx on actor_block ("subjectDid");

create table list (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  name varchar not null,
  purpose varchar not null,
  description varchar,
  "descriptionFacets" varchar,
  "avatarCid" varchar,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null
);
create index list_creator_idx on list (creator);

create table list_item (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "subjectDid" varchar not null,
  "listUri" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  constraint list_item_unique_subject_in_list unique ("listUri", "subjectDid")
);
create index list_item_creator_idx on list_item (creator);
create index list_item_subject_idx on list_item ("subjectDid");

create table list_block (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "subjectUri" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  constraint list_block_unique_subject unique (creator, "subjectUri")
);

create table reference_list_opt_out (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "subjectUri" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  constraint reference_list_opt_out_unique_subject unique (creator, "subjectUri")
);

create table verification (
  uri varchar primary key,
  cid varchar not null,
  rkey varchar not null,
  creator varchar not null,
  subject varchar not null,
  handle varchar not null,
  "displayName" varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortedAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  constraint verification_unique_subject_creator unique (subject, creator)
);

-- What accounts publish besides posts.

create table feed_generator (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "feedDid" varchar not null,
  "displayName" varchar,
  description varchar,
  "descriptionFacets" varchar,
  "avatarCid" varchar,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null
);
create index feed_generator_creator_index on feed_generator (creator);

create table starter_pack (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null,
  name varchar
);
create index starter_pack_creator_order_by_idx on starter_pack (creator, "sortAt", cid);
create index starter_pack_name_tgrm_idx on starter_pack using gist (name gist_trgm_ops);

create table labeler (
  uri varchar primary key,
  cid varchar not null,
  creator varchar not null,
  "createdAt" varchar not null,
  "indexedAt" varchar not null,
  "sortAt" varchar generated always as (least("createdAt", "indexedAt")) stored not null
);
create index labeler_order_by_idx on labeler ("sortAt", cid);

-- Notifications and labels.

create table notification (
  id bigserial primary key,
  did varchar not null,
  "recordUri" varchar not null,
  "recordCid" varchar not null,
  author varchar not null,
  reason varchar not null,
  "reasonSubject" varchar,
  "sortAt" varchar not null
);
create index notification_author_idx on notification (author);
create index notification_did_sortat_idx on notification (did, "sortAt");
create index notification_record_idx on notification ("recordUri");

create table label (
  src varchar not null,
  uri varchar not null,
  cid varchar not null,
  val varchar not null,
  neg boolean not null,
  cts varchar not null,
  exp varchar,
  primary key (src, uri, cid, val)
);
create index label_cts_idx on label (cts);
create index label_uri_index on label (uri);

-- State of viewers, written by the AppView.

create table mute (
  "subjectDid" varchar not null,
  "mutedByDid" varchar not null,
  "createdAt" varchar not null,
  "onlyReposts" boolean not null default false,
  "onlyQuoteposts" boolean not null default false,
  primary key ("mutedByDid", "subjectDid")
);

create table list_mute (
  "listUri" varchar not null,
  "mutedByDid" varchar not null,
  "createdAt" varchar not null,
  primary key ("mutedByDid", "listUri")
);

create table thread_mute (
  "rootUri" varchar not null,
  "mutedByDid" varchar not null,
  "createdAt" varchar not null,
  primary key ("rootUri", "mutedByDid")
);

create table activity_subscription (
  creator varchar not null,
  "subjectDid" varchar not null,
  key varchar not null,
  "indexedAt" varchar not null,
  post boolean not null,
  reply boolean not null,
  primary key (creator, key),
  constraint activity_subscription_unique_creator_subject_did unique (creator, "subjectDid")
);

create table bookmark (
  creator varchar not null,
  key varchar not null,
  "subjectUri" varchar not null,
  "subjectCid" varchar not null,
  "indexedAt" varchar not null,
  primary key (creator, key),
  constraint bookmark_unique_uri_creator unique ("subjectUri", creator)
);

create table draft (
  creator varchar not null,
  key varchar not null,
  "createdAt" varchar not null,
  "updatedAt" varchar not null,
  payload text not null,
  primary key (creator, key)
);
create index draft_creator_updated_at_key_idx on draft (creator, "updatedAt", key);

create table private_data (
  "actorDid" varchar not null,
  namespace varchar not null,
  key varchar not null,
  payload text not null,
  "indexedAt" varchar not null,
  "updatedAt" varchar not null,
  primary key ("actorDid", namespace, key)
);

create table blob_takedown (
  did varchar not null,
  cid varchar not null,
  "takedownRef" varchar not null,
  primary key (did, cid)
);

-- Curated by operators.

create table suggested_follow (
  did varchar primary key,
  "order" integer not null
);

create table suggested_feed (
  uri varchar primary key,
  "order" integer not null
);

create table tagged_suggestion (
  tag varchar not null,
  subject varchar not null,
  "subjectType" varchar not null,
  primary key (tag, subject)
);

-- A ranking that no present reader asks for.

create table view_param (
  name varchar primary key,
  value varchar
);
insert into view_param (name, value) values ('whats_hot_like_threshold', '2'), ('whats_hot_interval', '1day');

create materialized view algo_whats_hot_view as
  select
    post.uri,
    post.cid,
    round(1000000 * (
      post_agg."likeCount" / ((extract(epoch from age(now(), post."indexedAt"::timestamp)) / 3600 + 2) ^ 1.8)
    )) as score
  from post
  join post_agg on post_agg.uri = post.uri
  where post."indexedAt" > (
      select to_char(now() - value::interval, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as val
      from view_param
      where name = 'whats_hot_interval'
    )
    and post."replyParent" is null
    and post_agg."likeCount" > (
      select value::integer as val
      from view_param
      where name = 'whats_hot_like_threshold'
    );
create index algo_whats_hot_view_cursor_idx on algo_whats_hot_view (score, cid);
create unique index algo_whats_hot_view_uri_idx on algo_whats_hot_view (uri);

-- Left from earlier versions of the AppView: empty, but its migrations expect them.

create table did_cache (
  did varchar primary key,
  doc jsonb not null,
  "updatedAt" bigint not null
);

create table subscription (
  service varchar not null,
  method varchar not null,
  state varchar not null,
  primary key (service, method)
);

create table notification_push_token (
  did varchar not null,
  platform varchar not null,
  token varchar not null,
  "appId" varchar not null,
  primary key (did, token)
);

create table moderation_action (
  id serial primary key,
  action varchar not null,
  "subjectType" varchar not null,
  "subjectDid" varchar not null,
  "subjectUri" varchar,
  "subjectCid" varchar,
  reason text not null,
  "createdAt" varchar not null,
  "createdBy" varchar not null,
  "reversedAt" varchar,
  "reversedBy" varchar,
  "reversedReason" text,
  "createLabelVals" varchar,
  "negateLabelVals" varchar,
  "durationInHours" integer,
  "expiresAt" varchar
);

create table moderation_action_subject_blob (
  "actionId" integer not null references moderation_action (id),
  cid varchar not null,
  primary key ("actionId", cid)
);
create index moderation_action_subject_blob_cid_idx on moderation_action_subject_blob (cid);

create table moderation_event (
  id serial primary key,
  action varchar not null,
  "subjectType" varchar not null,
  "subjectDid" varchar not null,
  "subjectUri" varchar,
  "subjectCid" varchar,
  comment text,
  meta jsonb,
  "createdAt" varchar not null,
  "createdBy" varchar not null,
  "reversedAt" varchar,
  "reversedBy" varchar,
  "durationInHours" integer,
  "expiresAt" varchar,
  "reversedReason" text,
  "createLabelVals" varchar,
  "negateLabelVals" varchar,
  "legacyRefId" integer
);

create table moderation_report (
  id serial primary key,
  "subjectType" varchar not null,
  "subjectDid" varchar not null,
  "subjectUri" varchar,
  "subjectCid" varchar,
  "reasonType" varchar not null,
  reason text,
  "reportedByDid" varchar not null,
  "createdAt" varchar not null
);

create table moderation_report_resolution (
  "reportId" integer not null references moderation_report (id),
  "actionId" integer not null references moderation_action (id),
  "createdBy" varchar not null,
  "createdAt" varchar not null,
  primary key ("reportId", "actionId")
);
create index moderation_report_resolution_action_id_idx on moderation_report_resolution ("actionId");

create table moderation_subject_status (
  id serial primary key,
  did varchar not null,
  "recordPath" varchar not null default '',
  "blobCids" jsonb,
  "recordCid" varchar,
  "reviewState" varchar not null,
  comment varchar,
  "muteUntil" varchar,
  "lastReviewedAt" varchar,
  "lastReviewedBy" varchar,
  "lastReportedAt" varchar,
  takendown boolean not null default false,
  "suspendUntil" varchar,
  "createdAt" varchar not null,
  "updatedAt" varchar not null,
  constraint moderation_status_unique_idx unique (did, "recordPath")
);
create index moderation_subject_status_blob_cids_idx on moderation_subject_status using gin ("blobCids");
`
