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
