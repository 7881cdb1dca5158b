-- Keys of the HTTP API. A key is 256 random bits, of which only the SHA-256 is kept (pipeline/edges/keys.py).
CREATE TABLE api_keys
(
    id String,
    workspace_id LowCardinality(String),
    name String,
    digest String,
    scopes Array(LowCardinality(String)),
    created_at DateTime64(3, 'UTC'),
    revoked_at Nullable(DateTime64(3, 'UTC')),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id;

-- When a key was last used, written every few seconds by each gateway.
CREATE TABLE api_key_uses
(
    id String,
    used_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY id;

-- Devices and factories belong to their workspace: two workspaces may have the same id. The key of a table cannot be
-- changed, so the documents move. (Run again after a cut, it begins with an empty `registry`.)
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

CREATE TABLE registry_entries
(
    kind LowCardinality(String),
    workspace_id LowCardinality(String),
    id String,
    document String CODEC(ZSTD),
    version UInt64,
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (kind, workspace_id, id);

INSERT INTO registry_entries (kind, workspace_id, id, document, version, is_deleted)
SELECT kind, workspace_id, id, document, version, is_deleted FROM registry;

CREATE OR REPLACE VIEW use_cases AS
SELECT
    id, workspace_id, JSONExtractString(document, 'name') AS name, JSONExtractString(document, 'status') AS status,
    JSONExtractString(document, 'event_type') AS event_type, document
FROM registry_entries FINAL
WHERE kind = 'use_case';

CREATE OR REPLACE VIEW devices AS
SELECT
    id, workspace_id, JSONExtractString(document, 'name') AS name, JSONExtractString(document, 'factory_id') AS factory_id,
    JSONExtractString(document, 'stream_id') AS stream_id, JSONExtractString(document, 'use_case_id') AS use_case_id,
    JSONExtractRaw(document, 'metadata') AS metadata, document
FROM registry_entries FINAL
WHERE kind = 'device';

CREATE OR REPLACE VIEW factories AS
SELECT
    id, workspace_id, JSONExtractString(document, 'name') AS name, JSONExtractString(document, 'time_zone') AS time_zone, document
FROM registry_entries FINAL
WHERE kind = 'factory';

DROP TABLE IF EXISTS registry
