-- Use cases, devices and factories as documents. The latest version of a document counts; workers follow by version.
CREATE TABLE registry
(
    kind LowCardinality(String),
    id String,
    workspace_id LowCardinality(String),
    document String CODEC(ZSTD),
    version UInt64,
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (kind, id);

CREATE VIEW use_cases AS
SELECT
    id, workspace_id, JSONExtractString(document, 'name') AS name, JSONExtractString(document, 'status') AS status,
    JSONExtractString(document, 'event_type') AS event_type, document
FROM registry FINAL
WHERE kind = 'use_case';

CREATE VIEW devices AS
SELECT
    id, workspace_id, JSONExtractString(document, 'name') AS name, JSONExtractString(document, 'factory_id') AS factory_id,
    JSONExtractString(document, 'stream_id') AS stream_id, JSONExtractString(document, 'use_case_id') AS use_case_id,
    JSONExtractRaw(document, 'metadata') AS metadata, document
FROM registry FINAL
WHERE kind = 'device';

CREATE VIEW factories AS
SELECT
    id, workspace_id, JSONExtractString(document, 'name') AS name, JSONExtractString(document, 'time_zone') AS time_zone, document
FROM registry FINAL
WHERE kind = 'factory';
