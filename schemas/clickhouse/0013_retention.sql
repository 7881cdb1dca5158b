-- Legal holds: what is kept, though its use case would let it go. The newest version of a hold counts.
CREATE TABLE legal_holds
(
    id String,
    workspace_id LowCardinality(String),
    use_case_id String,
    since DateTime64(6, 'UTC'),
    until DateTime64(6, 'UTC'),
    reason String,
    placed_by String,
    placed_at DateTime64(3, 'UTC'),
    released_at Nullable(DateTime64(3, 'UTC')),
    released_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id;

-- Copies of the events under a hold, whole, as the lines that stored_events takes: whatever becomes of the originals
-- (expired, replaced, deleted), these stay. A hold is a partition, so that its release drops it as a whole.
CREATE TABLE held_events
(
    hold_id String,
    workspace_id LowCardinality(String),
    use_case_id LowCardinality(String),
    timestamp DateTime64(6, 'UTC'),
    event_id String,
    version UInt64,
    image_ids Array(String),
    event String CODEC(ZSTD(3)),
    held_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY hold_id
ORDER BY (workspace_id, use_case_id, timestamp, event_id, version);

-- The images that some event refers to, written anew by each run of `vision-events retention`, which then looks up
-- what lies in the bucket.
CREATE TABLE image_references
(
    run String,
    workspace_id LowCardinality(String),
    image_id String,
    noted_at DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(noted_at)
ORDER BY (run, workspace_id, image_id)
TTL noted_at + toIntervalDay(2)
SETTINGS ttl_only_drop_parts = 1;
