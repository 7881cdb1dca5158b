-- A replayed record names the place of its first try in a header; by it all tries of a record are one reject.
ALTER TABLE stored_rejects ADD COLUMN IF NOT EXISTS origin String DEFAULT if(
    has(headers.name, 'vision-origin'),
    arrayLast((value, name) -> name = 'vision-origin', headers.value, headers.name),
    concat(topic, '/', toString(partition), '/', toString(offset)));

-- What people decided of rejects, kept as a history; the newest decision counts. It stands in a table of its own so that
-- a redelivery, which writes the reject again, does not undo it. The columns `state` and `note` of stored_rejects, where
-- it used to stand, are no longer written.
CREATE TABLE reject_decisions
(
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    state LowCardinality(String),
    decided_at DateTime64(6, 'UTC') DEFAULT now64(6),
    decided_by String,
    note String,
    replay String,
    replayed_topic LowCardinality(String),
    replayed_partition UInt32,
    replayed_offset UInt64
)
ENGINE = MergeTree
ORDER BY (topic, partition, offset, decided_at)
TTL toDateTime(decided_at) + INTERVAL 37 DAY;

INSERT INTO reject_decisions (topic, partition, offset, state, decided_at, note)
SELECT topic, partition, offset, toString(state), inserted_at, note FROM stored_rejects FINAL WHERE state != 'open';

-- Each rejected record once, however often it was tried: its newest try, and what was decided of that. A record of
-- which any try was stored meanwhile (read again with other rules, see `vision-events replay`) is no reject any more.
CREATE VIEW reject_states AS
SELECT
    t.place.1 AS topic, t.place.2 AS partition, t.place.3 AS offset, t.origin AS origin, t.attempts AS attempts,
    if(d.state = '', 'open', d.state) AS state, d.decided_at AS decided_at, d.decided_by AS decided_by, d.note AS note
FROM
(
    SELECT origin, count() AS attempts,
        argMax((try.topic, try.partition, try.offset), (try.timestamp, try.partition, try.offset)) AS place
    FROM
    (
        SELECT
            r.timestamp AS timestamp, toString(r.topic) AS topic, r.partition AS partition, r.offset AS offset, r.origin AS origin,
            bitmapContains(l.offsets, r.offset) AS is_stored
        FROM stored_rejects AS r FINAL
        LEFT JOIN
        (
            SELECT topic, partition, chunk, groupBitmapMergeState(stored) AS offsets
            FROM record_ledger
            GROUP BY topic, partition, chunk
        ) AS l ON l.topic = r.topic AND l.partition = r.partition AND l.chunk = intDiv(r.offset, 1048576)
    ) AS try
    GROUP BY origin
    HAVING NOT max(is_stored)
) AS t
LEFT JOIN
(
    SELECT
        toString(topic) AS topic, partition, offset, argMax(toString(state), reject_decisions.decided_at) AS state,
        argMax(decided_by, reject_decisions.decided_at) AS decided_by, argMax(note, reject_decisions.decided_at) AS note,
        max(reject_decisions.decided_at) AS decided_at
    FROM reject_decisions
    GROUP BY topic, partition, offset
) AS d ON d.topic = t.place.1 AND d.partition = t.place.2 AND d.offset = t.place.3;

CREATE OR REPLACE VIEW rejects AS
SELECT
    r.topic AS topic, r.partition AS partition, r.offset AS offset, r.timestamp AS timestamp, r.reason AS reason,
    r.message AS message, r.field AS field, r.use_case_id AS use_case_id, r.device_id AS device_id,
    r.key AS key, r.value AS value, r.headers AS headers, r.inserted_at AS inserted_at,
    s.origin AS origin, s.attempts AS attempts, s.state AS state, s.decided_at AS decided_at, s.decided_by AS decided_by,
    s.note AS note
FROM stored_rejects AS r FINAL
INNER JOIN reject_states AS s ON s.topic = r.topic AND s.partition = r.partition AND s.offset = r.offset;
