-- What analysts query. Every view shows an event once, in its current version.
CREATE VIEW vision_events AS
SELECT * EXCEPT (is_deleted, retention_days)
FROM stored_events FINAL;

-- One row an annotation. `image` is the position in the event's images; x and y are the centre of the box, in pixels.
CREATE VIEW detections AS
SELECT
    workspace_id, use_case_id, event_id, event_type, timestamp, factory_id, device_id, stream_id, custom_metadata, event_data,
    d.image AS image, d.class AS class, d.class_id AS class_id, d.confidence AS confidence,
    d.x AS x, d.y AS y, d.width AS width, d.height AS height,
    d.tracker_id AS tracker_id, d.detection_id AS detection_id
FROM stored_events FINAL
ARRAY JOIN object_detections AS d;

CREATE VIEW classifications AS
SELECT
    workspace_id, use_case_id, event_id, event_type, timestamp, factory_id, device_id, stream_id, custom_metadata, event_data,
    c.image AS image, c.class AS class, c.class_id AS class_id, c.confidence AS confidence,
    c.tracker_id AS tracker_id, c.detection_id AS detection_id
FROM stored_events FINAL
ARRAY JOIN classifications AS c;

CREATE VIEW segmentations AS
SELECT
    workspace_id, use_case_id, event_id, event_type, timestamp, factory_id, device_id, stream_id, custom_metadata, event_data,
    s.image AS image, s.class AS class, s.class_id AS class_id, s.confidence AS confidence,
    s.x AS x, s.y AS y, s.width AS width, s.height AS height,
    s.tracker_id AS tracker_id, s.detection_id AS detection_id,
    s.points AS points
FROM stored_events FINAL
ARRAY JOIN instance_segmentations AS s;

-- One row a keypoint; the box is that of the object it belongs to, numbered within the event by `object`.
CREATE VIEW keypoints AS
SELECT
    workspace_id, use_case_id, event_id, event_type, timestamp, factory_id, device_id, stream_id, custom_metadata, event_data,
    object, k.image AS image, k.class AS class, k.class_id AS class_id, k.confidence AS confidence,
    k.x AS box_x, k.y AS box_y, k.width AS box_width, k.height AS box_height, k.tracker_id AS tracker_id,
    point.id AS keypoint_id, point.x AS x, point.y AS y, point.confidence AS keypoint_confidence
FROM
(
    SELECT workspace_id, use_case_id, event_id, event_type, timestamp, factory_id, device_id, stream_id, custom_metadata, event_data, k, object
    FROM stored_events FINAL
    ARRAY JOIN keypoints AS k, arrayEnumerate(keypoints) AS object
)
ARRAY JOIN k.keypoints AS point;

-- One row a view of an event. Identifiers are the SHA-256 of the content; metadata is JSON text.
CREATE VIEW images AS
SELECT
    workspace_id, use_case_id, event_id, event_type, timestamp, factory_id, device_id, stream_id, custom_metadata, event_data,
    position - 1 AS image, i.label AS label, i.metadata AS metadata,
    i.source_id AS source_id, i.content_type AS content_type, i.size AS size, i.width AS width, i.height AS height,
    i.input_source_id AS input_source_id, i.input_content_type AS input_content_type, i.input_size AS input_size,
    i.input_width AS input_width, i.input_height AS input_height
FROM stored_events FINAL
ARRAY JOIN images AS i, arrayEnumerate(images) AS position;

-- What people said of events.
CREATE VIEW feedback AS
SELECT
    workspace_id, use_case_id, event_id, timestamp, comment, custom_metadata,
    CAST(event_data.related_event_id, 'String') AS related_event_id,
    CAST(event_data.feedback, 'String') AS feedback
FROM stored_events FINAL
WHERE event_type = 'operator_feedback';

-- Rejected records that were not stored later.
CREATE VIEW rejects AS
SELECT r.* FROM stored_rejects AS r FINAL
LEFT JOIN
(
    SELECT topic, partition, chunk, groupBitmapMergeState(stored) AS offsets
    FROM record_ledger
    GROUP BY topic, partition, chunk
) AS l ON l.topic = r.topic AND l.partition = r.partition AND l.chunk = intDiv(r.offset, 1048576)
WHERE NOT bitmapContains(l.offsets, r.offset);
