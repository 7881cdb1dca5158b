-- Views of the dashboard that people gave a name: the query of an address, for all of a workspace.
CREATE TABLE saved_views
(
    workspace_id LowCardinality(String),
    id String,
    name String,
    query String,
    made_by String,
    version UInt64,
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (workspace_id, id)
