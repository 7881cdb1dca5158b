-- Records that could not be stored, whole. The place in Kafka is the key, so a redelivery replaces its row.
CREATE TABLE stored_rejects
(
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    timestamp DateTime64(3, 'UTC'),
    reason LowCardinality(String),
    message String CODEC(ZSTD),
    field String,
    use_case_id LowCardinality(String),
    device_id LowCardinality(String),
    key String CODEC(ZSTD),
    value String CODEC(ZSTD(3)),
    headers Array(Tuple(name String, value String)),
    state Enum8('open' = 0, 'replayed' = 1, 'discarded' = 2) DEFAULT 'open',
    note String,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (topic, partition, offset)
TTL toDateTime(inserted_at) + INTERVAL 30 DAY;

-- Which records of Kafka were stored and which rejected, as bitmaps of offsets. A bitmap takes the same offset twice
-- without counting it twice, and outlives the rows: produced = stored + rejected stays checkable after retention.
CREATE TABLE record_ledger
(
    topic LowCardinality(String),
    partition UInt32,
    chunk UInt64,
    stored AggregateFunction(groupBitmap, UInt64),
    rejected AggregateFunction(groupBitmap, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (topic, partition, chunk);

CREATE MATERIALIZED VIEW record_ledger_stored TO record_ledger AS
SELECT topic, partition, intDiv(offset, 1048576) AS chunk, groupBitmapState(offset) AS stored
FROM stored_events
WHERE NOT is_deleted
GROUP BY topic, partition, chunk;

CREATE MATERIALIZED VIEW record_ledger_rejected TO record_ledger AS
SELECT topic, partition, intDiv(offset, 1048576) AS chunk, groupBitmapState(offset) AS rejected
FROM stored_rejects
GROUP BY topic, partition, chunk;

-- A record that was rejected and, delivered again, stored (its use case exists by now) counts as stored.
CREATE VIEW record_counts AS
SELECT
    topic,
    partition,
    sum(bitmapCardinality(stored_offsets)) AS stored,
    sum(bitmapAndnotCardinality(rejected_offsets, stored_offsets)) AS rejected
FROM
(
    SELECT topic, partition, chunk, groupBitmapMergeState(stored) AS stored_offsets, groupBitmapMergeState(rejected) AS rejected_offsets
    FROM record_ledger
    GROUP BY topic, partition, chunk
)
GROUP BY topic, partition;
