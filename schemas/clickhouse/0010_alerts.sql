-- One row a transition of an alert; the same transition again replaces its row.
CREATE TABLE stored_alerts
(
    workspace_id LowCardinality(String),
    use_case_id LowCardinality(String),
    fired_at DateTime64(3, 'UTC'),
    alert_id String,
    status Enum8('firing' = 1, 'resolved' = 2),
    fingerprint String,
    rule LowCardinality(String),
    severity LowCardinality(String),
    group_labels Map(LowCardinality(String), String),
    labels Map(LowCardinality(String), String),
    annotations Map(LowCardinality(String), String),
    starts_at DateTime64(3, 'UTC'),
    ends_at Nullable(DateTime64(3, 'UTC')),
    value Float64,
    event_id String,
    device_id LowCardinality(String),
    image_id String,
    suppressed_by String,
    detected_at DateTime64(3, 'UTC'),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (workspace_id, use_case_id, fired_at, alert_id, status)
TTL toDateTime(inserted_at) + toIntervalDay(400);

-- What became of telling a receiver of a transition: delivered, or given up (dead) with the last error.
CREATE TABLE stored_alert_deliveries
(
    message_id String,
    receiver LowCardinality(String),
    workspace_id LowCardinality(String),
    state Enum8('delivered' = 1, 'dead' = 2),
    attempts UInt32,
    error String,
    event String CODEC(ZSTD),
    at DateTime64(3, 'UTC'),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (message_id, receiver)
TTL toDateTime(inserted_at) + toIntervalDay(90);

-- Every transition.
CREATE VIEW alert_history AS
SELECT * EXCEPT inserted_at
FROM stored_alerts FINAL;

-- One row an alert, from its beginning to its end. `seconds` is how long it was open, of one still open: so far.
CREATE VIEW alerts AS
SELECT
    workspace_id, use_case_id, rule, severity, alert_id, fingerprint,
    if(countIf(a.status = 'resolved') > 0, 'resolved', 'firing') AS status,
    any(a.group_labels) AS group_labels,
    any(a.labels) AS labels,
    any(a.annotations) AS annotations,
    min(a.starts_at) AS starts_at,
    min(a.fired_at) AS fired_at,
    max(a.ends_at) AS ends_at,
    dateDiff('millisecond', min(a.fired_at), coalesce(max(a.ends_at), now64(3))) / 1000 AS seconds,
    argMin(a.value, a.status) AS value,
    any(a.event_id) AS event_id,
    any(a.device_id) AS device_id,
    any(a.image_id) AS image_id,
    any(a.suppressed_by) AS suppressed_by,
    min(a.detected_at) AS detected_at
FROM stored_alerts AS a FINAL
GROUP BY workspace_id, use_case_id, rule, severity, alert_id, fingerprint;

CREATE VIEW alert_deliveries AS
SELECT message_id, receiver, workspace_id, state, attempts, error, at
FROM stored_alert_deliveries FINAL;
