// Why records are rejected, in a few words, and what usually mends it. The values are those of schemas/reject.py.

/** @type {Record<string, [label: string, help: string]>} */
const REASONS = {
  not_json: ["Not JSON", "The producer sends something that cannot be read, or nothing at all. Look at its serialisation."],
  unknown_format: ["Unknown format", "JSON, but no result of a known format. See docs/formats.md for those that are."],
  invalid_result: ["Invalid result", "The result does not fit the format that it has or claims to have."],
  missing_field: ["Missing field", "A required field is not there. Mend the producer."],
  unknown_field: ["Unknown field", "A field has a name that is not known, often a typing error."],
  invalid_value: ["Invalid value", "A field has the wrong type or a value outside its bounds."],
  unknown_use_case: ["Unknown use case", "The use case does not exist, is archived, or none is named. Make it or take its events again, then replay."],
  invalid_timestamp: ["Invalid time", "No zone, not a time, or outside the span from a year ago to tomorrow. Look at the camera's clock."],
  invalid_metadata: ["Invalid metadata", "Metadata breaks the schema of its use case. Mend the producer, or change the schema and replay."],
  invalid_event_data: ["Invalid event data", "The conclusion does not fit its event type."],
  invalid_image: ["Invalid image", "Not base64, or not a JPEG, PNG or WebP picture."],
  image_too_large: ["Image too large", "Send a smaller picture, or upload it first."],
  image_not_found: ["Image not found", "The record names an object that is not there, or a bucket that is not allowed. Replay when it is."],
  image_missing: ["No image", "The use case requires a picture and the record has none."],
  too_large: ["Too large", "The record, or the event that it becomes, is larger than a topic takes."],
  refused_by_store: ["Refused by ClickHouse", "The database refused the row for good; the message has its code."],
  processing_failed: ["Processing failed", "A defect of this system. Please report it with the message; replay after an update."],
};

/** @param {string} reason */
export const reasonLabel = (reason) => REASONS[reason]?.[0] ?? reason.replaceAll("_", " ");

/** @param {string} reason */
export const reasonHelp = (reason) => REASONS[reason]?.[1] ?? "";
