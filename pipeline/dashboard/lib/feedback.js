// What people say of an event: an event itself, of type operator_feedback. Who changes their mind says it again; the last word counts.
import { api, serverNow } from "./api.js";

/** @typedef {import("./api.js").VisionEvent} VisionEvent */
/** @typedef {import("./api.js").Said} Said */

/** A random id; `crypto.randomUUID` is there on encrypted pages only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/**
 * Store it; the answer is what the list shows until it is read back.
 * @param {VisionEvent} event @param {string} feedback @param {string} comment @param {string} reviewer
 * @returns {{ said: Said, stored: Promise<unknown> }}
 */
export function say(event, feedback, comment, reviewer) {
  const said = { id: newId(), feedback, reviewer, comment, at: new Date(serverNow()).toISOString() };
  const stored = api.createEvent({
    eventId: said.id,
    eventType: "operator_feedback",
    useCaseId: event.useCaseId,
    timestamp: said.at,
    eventData: { relatedEventId: event.eventId, feedback },
    customMetadata: { reviewer },
    ...(comment ? { comment } : {}),
  });
  return { said, stored };
}
