// Files made in the browser.

/** @typedef {import("./api.js").VisionEvent} VisionEvent */

/** @param {string} name @param {string} type @param {BlobPart[]} content */
function save(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(content, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {string} name @param {VisionEvent[]} events */
export function saveJsonLines(name, events) {
  save(`${name}.jsonl`, "application/x-ndjson", events.map((event) => `${JSON.stringify(event)}\n`));
}

/** One row an event: what all have, its data, its metadata, and how often each class was seen. @param {string} name @param {VisionEvent[]} events */
export function saveCsv(name, events) {
  const rows = events.map((event) => ({
    eventId: event.eventId,
    timestamp: event.timestamp,
    eventType: event.eventType,
    deviceId: event.deviceId ?? "",
    factoryId: event.factoryId ?? "",
    ...event.eventData,
    ...event.customMetadata,
    classes: (event.images ?? [])
      .flatMap((image) => [...(image.objectDetections ?? []), ...(image.instanceSegmentations ?? []), ...(image.keypoints ?? []), ...(image.classifications ?? [])])
      .map((found) => found.class)
      .join(" "),
  }));
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (/** @type {unknown} */ value) => {
    // A spreadsheet runs what begins like a formula; a quote before it makes it text.
    const text = String(value ?? "").replace(/^[=+\-@\t\r](?!\d*\.?\d*$)/, "'$&");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (/** @type {unknown[]} */ cells) => `${cells.map(cell).join(",")}\n`;
  save(`${name}.csv`, "text/csv", [line(columns), ...rows.map((row) => line(columns.map((column) => /** @type {any} */ (row)[column])))]);
}
