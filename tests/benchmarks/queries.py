"""The SQL of the read side: how the events are made, and what is asked of them."""

# As benchmark records are stored, over thirty days, made by the server. One month boundary or two lie within.
FILL = """
INSERT INTO stored_events (workspace_id, use_case_id, timestamp, event_id, event_type, factory_id, device_id, stream_id,
    frame_id, frame_width, frame_height, object_detections, classifications, class_counts, max_confidence,
    custom_metadata, event_data, retention_days, topic, partition, offset, version)
WITH
    lower(hex(MD5(toString(number)))) AS digest,
    concat(substr(digest, 1, 8), '-', substr(digest, 9, 4), '-', substr(digest, 13, 4), '-', substr(digest, 17, 4),
        '-', substr(digest, 21)) AS id,
    cityHash64(number, 'd') % 16 AS device,
    (cityHash64(number, 'c') % 1000) / 1000 AS confidence,
    arrayMap(n -> (cityHash64(number, n) % 12800) / 10, range(12)) AS pixels
SELECT
    'default',
    if(number % 5 = 0, 'ppe-compliance', 'defect-detection') AS use_case,
    toDateTime64({since:String}, 6, 'UTC') + toIntervalMicrosecond(toUInt64(number * {step_us:Float64})) AS moment,
    id,
    if(number % 5 = 0, 'safety_alert', 'quality_check'),
    concat('factory-', toString(intDiv(device, 4))),
    concat('cam-', leftPad(toString(device), 2, '0')),
    concat('line-', toString(device % 4)),
    toString(number),
    1280,
    720,
    [(0, 'scratch', 1, confidence, pixels[1], pixels[2], pixels[3] / 10, pixels[4] / 10, NULL, 'd1'),
     (0, 'dent', 2, confidence / 2, pixels[5], pixels[6], pixels[7] / 10, pixels[8] / 10, NULL, NULL),
     (0, 'stain', 3, confidence / 3, pixels[9], pixels[10], pixels[11] / 10, pixels[12] / 10, NULL, NULL)],
    [(0, 'surface', 9, 1 - confidence, NULL, NULL)],
    map('scratch', 1, 'dent', 1, 'stain', 1),
    greatest(confidence, 1 - confidence),
    concat('{"line_id":"L', toString(device % 4),
        '","part_number":"PN-', leftPad(toString(cityHash64(number, 'p') % 1000), 4, '0'),
        '","shift":"', arrayElement(['early', 'late', 'night'], 1 + intDiv(toHour(moment), 8)), '"}'),
    if(number % 5 = 0, concat('{"alert_type":"', if(number % 50 = 0, 'missing_helmet', 'none'), '","severity":"low"}'),
        concat('{"result":"', if(confidence > 0.9, 'fail', 'pass'), '","confidence":', toString(confidence), '}')),
    30,
    'vision.inferences',
    number % 4,
    intDiv(number, 4),
    toUInt64(toUnixTimestamp64Milli(moment)) * 1048576 + intDiv(number, 4) % 1048576
FROM numbers({first:UInt64}, {count:UInt64})
"""

_PAGE = "SELECT * FROM vision_events WHERE use_case_id = 'defect-detection'"
_NEWEST = "ORDER BY timestamp DESC LIMIT 50"
_DAY = "timestamp >= {since_day:DateTime64(6)}"

QUERIES: dict[str, str] = {
    "first page, newest first": f"{_PAGE} {_NEWEST}",
    "page filtered by metadata (1 in 1,000)": f"{_PAGE} AND custom_metadata.part_number = 'PN-0042' {_NEWEST}",
    "page filtered by metadata, nothing matches": f"{_PAGE} AND custom_metadata.part_number = 'PN-none' {_NEWEST}",
    "count of a use case": "SELECT count() FROM vision_events WHERE use_case_id = 'defect-detection'",
    "one event by id": "SELECT * FROM vision_events WHERE event_id = {id:String}",
    "analyst 1: events by hour of the last day": "SELECT toStartOfHour(timestamp) AS hour, count() FROM vision_events "
    f"WHERE {_DAY} GROUP BY hour ORDER BY hour",
    "analyst 2: fail rate by line and shift": "SELECT custom_metadata.line_id::String AS line, "
    "custom_metadata.shift::String AS shift, countIf(event_data.result::String = 'fail') / count() FROM vision_events "
    "WHERE use_case_id = 'defect-detection' GROUP BY line, shift ORDER BY line, shift",
    "analyst 3: fail rate by day": "SELECT toDate(timestamp) AS day, countIf(event_data.result::String = 'fail') / "
    "count() FROM vision_events WHERE use_case_id = 'defect-detection' GROUP BY day ORDER BY day",
    "analyst 4: worst parts": "SELECT custom_metadata.part_number::String AS part, "
    "countIf(event_data.result::String = 'fail') AS fails FROM vision_events WHERE use_case_id = 'defect-detection' "
    f"AND {_DAY} GROUP BY part ORDER BY fails DESC LIMIT 10",
    "analyst 5: detections by class of the last day": "SELECT class, count(), avg(confidence) FROM detections "
    f"WHERE {_DAY} GROUP BY class",
    "analyst 6: distribution of confidence": "SELECT floor(confidence * 10) / 10 AS bucket, count() FROM detections "
    f"WHERE class = 'scratch' AND {_DAY} GROUP BY bucket ORDER BY bucket",
    "analyst 7: alerts by type and factory": "SELECT factory_id, event_data.alert_type::String AS alert, count() "
    "FROM vision_events WHERE use_case_id = 'ppe-compliance' GROUP BY factory_id, alert",
    "analyst 8: cameras and when they were last heard of": "SELECT device_id, max(timestamp), count() "
    "FROM vision_events GROUP BY device_id",
    "analyst 9: objects counted by line": "SELECT stream_id, sum(class_counts['scratch']) FROM vision_events "
    f"WHERE {_DAY} GROUP BY stream_id",
    "analyst 10: large boxes": "SELECT event_id, x, y, width * height AS area FROM detections "
    f"WHERE {_DAY} AND width * height > 5000 ORDER BY area DESC LIMIT 20",
}
