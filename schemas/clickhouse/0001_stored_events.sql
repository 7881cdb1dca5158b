-- The events as they are written. Analysts query the views of 0003, which show each event once.
-- A row is the JSON of schemas.vision_event.VisionEvent, parsed by ClickHouse: column names are its field names.
CREATE TABLE stored_events
(
    workspace_id LowCardinality(String),
    use_case_id LowCardinality(String),
    timestamp DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    event_id String CODEC(ZSTD),
    event_type LowCardinality(String),
    factory_id LowCardinality(String),
    device_id LowCardinality(String),
    stream_id LowCardinality(String),
    workflow_id LowCardinality(String),
    frame_id String CODEC(ZSTD),
    frame_width UInt32,
    frame_height UInt32,
    images Array(Tuple(
        label LowCardinality(String), metadata String,
        source_id String, content_type LowCardinality(String), size UInt64, width UInt32, height UInt32,
        input_source_id String, input_content_type LowCardinality(String), input_size UInt64, input_width UInt32, input_height UInt32)),
    display_image_position UInt16,
    object_detections Array(Tuple(
        image UInt16, class LowCardinality(String), class_id Nullable(Int64), confidence Nullable(Float32),
        x Float32, y Float32, width Float32, height Float32, tracker_id Nullable(String), detection_id Nullable(String))),
    classifications Array(Tuple(
        image UInt16, class LowCardinality(String), class_id Nullable(Int64), confidence Nullable(Float32),
        tracker_id Nullable(String), detection_id Nullable(String))),
    instance_segmentations Array(Tuple(
        image UInt16, class LowCardinality(String), class_id Nullable(Int64), confidence Nullable(Float32),
        x Float32, y Float32, width Float32, height Float32, tracker_id Nullable(String), detection_id Nullable(String),
        points Array(Tuple(Float32, Float32)))),
    keypoints Array(Tuple(
        image UInt16, class LowCardinality(String), class_id Nullable(Int64), confidence Nullable(Float32),
        x Float32, y Float32, width Float32, height Float32, tracker_id Nullable(String), detection_id Nullable(String),
        keypoints Array(Tuple(id String, x Float32, y Float32, confidence Nullable(Float32))))),
    class_counts Map(LowCardinality(String), UInt32),
    max_confidence Nullable(Float32),
    custom_metadata JSON,
    event_data JSON,
    comment String CODEC(ZSTD),
    warnings Array(Tuple(code LowCardinality(String), field String, message String)),
    retention_days UInt16,
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64 CODEC(Delta, ZSTD),
    version UInt64 CODEC(Delta, ZSTD),
    is_deleted UInt8 DEFAULT 0,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD),
    event_id_hash UInt64 MATERIALIZED cityHash64(event_id),
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX inserted_at_span inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (use_case_id, timestamp, event_id)
-- Retention counts from the insert: an event that arrives late is kept as long as any other.
TTL toDateTime(inserted_at) + toIntervalDay(retention_days)
-- Merges of small parts cost as much as the inserts (24 us of CPU a row with the defaults, 19 with this, 12 without any
-- merge; 25 inserts of 8,000 rows): fewer and larger ones.
SETTINGS min_parts_to_merge_at_once = 10, min_age_to_force_merge_seconds = 600;
