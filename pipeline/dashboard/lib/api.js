// The only module that talks to the server. One function a call; docs/http-api.md describes those of the public API.

/** An answer other than success, or none at all (status 0). */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Told when a call finds that the session is over. */
export const sessionEnded = new EventTarget();

/**
 * @param {string} method
 * @param {string} address
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function call(method, address, body, signal) {
  // The header is what no form of another site can send (pipeline/gateway/sessions.py).
  const headers = { "X-Vision-Events-Dashboard": "1", ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  let response;
  try {
    response = await fetch(address, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "The server does not answer. Is it running, and is the network there?");
  }
  if (response.ok) return response.json();
  const message = await response.json().then((answer) => answer.error, () => null);
  if (response.status === 401) sessionEnded.dispatchEvent(new Event("ended"));
  throw new ApiError(response.status, message ?? `The server answered ${response.status}.`);
}

/** @param {...string} parts */
const path = (...parts) => parts.map(encodeURIComponent).join("/");

/** @typedef {{ workspace: string, keyName: string, scopes: string[], canRead: boolean, isOperator: boolean, canWrite: boolean, factories: Factory[], now: string }} Session */
/** @typedef {{ id: string, name: string, timeZone: string }} Factory */
/** @typedef {{ id: string, timestamp: string, reason: string, message: string, field: string, useCaseId: string, deviceId: string, attempts: number, state: string, decidedAt: string, decidedBy: string, note: string }} Reject */
/** @typedef {{ reason: string, rejects: number, oldest: string, newest: string }} RejectCount */
/** @typedef {{ state: string, decidedAt: string, decidedBy: string, note: string }} Decision */
/** @typedef {Pick<Reject, "id" | "timestamp" | "reason" | "message" | "field" | "useCaseId" | "deviceId"> & { key: string, headers: [string, string][], size: number, fieldIsThere: boolean, first: number, total: number, lines: [string, boolean][], decisions: Decision[] }} RejectRecord */
/** @typedef {"overTime" | "split" | "classes" | "confidences" | "heatMap" | "comparison"} ChartName */
/** Rows as SQL gave them; times are milliseconds since the epoch. @typedef {{ rows: any[], sql: string, since: number, until: number, stepSeconds: number }} Chart */
/** @typedef {{ alertId: string, fingerprint: string, status: "firing" | "resolved", useCaseId: string, rule: string, severity: string, group: Record<string, string>, labels: Record<string, string>, annotations: Record<string, string>, startsAt: string, firedAt: string, endsAt: string | null, value: number, eventId: string, deviceId: string, imageUrl: string | null, suppressedBy: string }} Alert */
/** @typedef {{ id: string, matchers: { label: string, value: string }[], startsAt: string, endsAt: string, createdBy: string, comment: string }} Silence */
/** @typedef {{ messageId: string, receiver: string, state: "delivered" | "dead", attempts: number, error: string, at: string }} Delivery */
/** @typedef {{ topic: string, partitions: number, produced: number, stored: number | null, rejected: number | null, lag: number | null, unaccounted: number | null }} TopicCounts */
/** @typedef {{ at: number, stored: number, rejected: number, p50: number | null, p99: number | null }} FlowStep */
/** @typedef {{ state: string, words: string[], health: Record<string, string>, addresses: Record<string, string>, workers: number | null, events: number | null, parts: Record<string, { pid: number, state: string, restarts: number, problem?: string }>, topics: Record<string, TopicCounts>, flow: FlowStep[], flowStep: number, flowSpan: number, lag: Record<string, Record<string, number>>, now: string }} SystemState */
/** @typedef {{ id: string, name: string, registered: boolean, useCaseId: string, factoryId: string, streamId: string, lastEvent: string | null, lastDay: number, lastHour: number, hours: number[], quietAfterSeconds: number | null, rejects: number }} Device */
/** Which rejects: by id, or all open ones of a reason, use case or device. @typedef {{ ids?: string[], reason?: string, useCase?: string, device?: string, by?: string }} RejectChoice */
/** @typedef {{ id: string, name: string, description: string, status: "active" | "inactive", eventType: string, retentionDays: number, fields: Record<string, { type: string, description: string }> }} UseCase */
/** @typedef {{ eventCount: number, lastEvent: string, eventTypes: string[], lastDay: number[] }} Activity */
/** @typedef {{ line: number, field: string, message: string }} Fault */
/**
 * @typedef {object} Found an annotation of any kind; coordinates are pixels, x and y the centre of the box
 * @property {string} class
 * @property {number | null} [confidence]
 * @property {number} [x] @property {number} [y] @property {number} [width] @property {number} [height]
 * @property {[number, number][]} [points]
 * @property {{ id: string, x: number, y: number, confidence?: number | null }[]} [keypoints]
 */
/**
 * @typedef {object} EventImage
 * @property {string} [url] the output image @property {string} [inputUrl] the original
 * @property {string} [sourceId] @property {string} [inputSourceId]
 * @property {number} [width] @property {number} [height] @property {number} [inputWidth] @property {number} [inputHeight]
 * @property {string} [label] @property {Record<string, import("./filters.js").Value>} [metadata]
 * @property {Found[]} [objectDetections] @property {Found[]} [instanceSegmentations] @property {Found[]} [keypoints] @property {Found[]} [classifications]
 */
/**
 * @typedef {object} VisionEvent
 * @property {string} eventId @property {string} eventType @property {string} useCaseId @property {string} timestamp
 * @property {Record<string, any>} eventData
 * @property {Record<string, import("./filters.js").Value>} [customMetadata]
 * @property {string} [deviceId] @property {string} [streamId] @property {string} [workflowId] @property {string} [factoryId] @property {string} [frameId]
 * @property {{ width: number, height: number }} [frameSize]
 * @property {EventImage[]} [images] @property {number} [displayImagePosition] @property {string} [comment]
 * @property {{ code: string, field: string, message: string }[]} [warnings]
 */
/** What somebody said of an event. @typedef {{ id: string, feedback: string, reviewer: string, comment: string, at: string }} Said */
/** @typedef {{ id: string, name: string, query: string, madeBy: string }} View */
/** @typedef {{ topic: string, partition: number, offset: number, insertedAt: string, retentionDays: number }} Origin */

let ahead = 0;

/** The server's clock: what people say is ordered by time, and their own clocks may be wrong. */
export const serverNow = () => Date.now() + ahead;

/** @template {Session | null} S @param {S} session @returns {S} */
function noteClock(session) {
  if (session) ahead = Date.parse(session.now) - Date.now();
  return session;
}

export const api = {
  /** Null where nobody is logged in. @returns {Promise<Session | null>} */
  session: () => call("GET", "/dashboard/api/session").then(noteClock),
  /** @param {{ key: string } | { token: string }} proof @returns {Promise<Session>} */
  logIn: (proof) => call("POST", "/dashboard/api/session", proof).then(noteClock),
  logOut: () => call("DELETE", "/dashboard/api/session"),

  /** @param {AbortSignal} [signal] @returns {Promise<{ useCases: UseCase[] }>} */
  useCases: (signal) => call("GET", "/dashboard/api/use-cases", undefined, signal),
  /** @param {AbortSignal} [signal] @returns {Promise<{ activity: Record<string, Activity>, lookbackDays: number }>} */
  useCaseActivity: (signal) => call("GET", "/dashboard/api/use-cases/activity", undefined, signal),

  /** @param {{ chart: ChartName, filters: object, by?: string[], spans?: object[], timeZone: string }} question @param {AbortSignal} [signal] @returns {Promise<Chart>} */
  analysis: (question, signal) => call("POST", "/dashboard/api/analysis", question, signal),

  /** @param {Record<string, string>} filters status, useCaseId, limit @param {AbortSignal} [signal] @returns {Promise<{ alerts: Alert[] }>} */
  alerts: (filters, signal) => call("GET", `/vision-events/alerts?${new URLSearchParams(filters)}`, undefined, signal),
  /** @param {AbortSignal} [signal] @returns {Promise<{ silences: Silence[] }>} */
  silences: (signal) => call("GET", "/vision-events/alerts/silences", undefined, signal),
  /** @param {{ matchers: { label: string, value: string }[], endsAt: string, comment: string, createdBy: string }} silence @returns {Promise<Silence>} */
  createSilence: (silence) => call("POST", "/vision-events/alerts/silences", silence),
  /** @param {string} id */
  endSilence: (id) => call("DELETE", `/vision-events/alerts/silences/${path(id)}`),
  /** @param {AbortSignal} [signal] @returns {Promise<{ deliveries: Delivery[] }>} */
  alertDeliveries: (signal) => call("GET", "/dashboard/api/alert-deliveries", undefined, signal),

  /** @param {AbortSignal} [signal] @returns {Promise<SystemState>} */
  system: (signal) => call("GET", "/dashboard/api/system", undefined, signal),
  /** @param {AbortSignal} [signal] @returns {Promise<{ devices: Device[], lookbackDays: number, more: boolean }>} */
  devices: (signal) => call("GET", "/dashboard/api/devices", undefined, signal),

  /** @param {Record<string, string>} filters @param {AbortSignal} [signal] @returns {Promise<{ counts: RejectCount[], rejects: Reject[], mostListed: number, mostReplayed: number }>} */
  rejects: (filters, signal) => call("GET", `/dashboard/api/rejects?${new URLSearchParams(filters)}`, undefined, signal),
  /** @param {string} id @param {AbortSignal} [signal] @returns {Promise<RejectRecord>} */
  rejectRecord: (id, signal) => call("GET", `/dashboard/api/rejects/record?${new URLSearchParams({ id })}`, undefined, signal),
  /** @param {RejectChoice} choice @returns {Promise<{ replay: string, replayed: number }>} */
  replayRejects: (choice) => call("POST", "/dashboard/api/rejects/replay", choice),
  /** @param {string} replay @param {AbortSignal} [signal] @returns {Promise<{ stored: number, rejected: Record<string, number>, waiting: number }>} */
  replayOutcome: (replay, signal) => call("GET", `/dashboard/api/rejects/replays/${path(replay)}`, undefined, signal),
  /** @param {RejectChoice & { note: string }} choice @returns {Promise<{ discarded: number }>} */
  discardRejects: (choice) => call("POST", "/dashboard/api/rejects/discard", choice),

  /** @param {string} name @returns {Promise<{ id: string, name: string }>} */
  createUseCase: (name) => call("POST", "/vision-events/use-cases", { name }),
  /** @param {string} id @param {string} name */
  renameUseCase: (id, name) => call("PUT", `/vision-events/use-cases/${path(id)}`, { name }),
  /** @param {string} id */
  archiveUseCase: (id) => call("POST", `/vision-events/use-cases/${path(id)}/archive`),
  /** @param {string} id */
  unarchiveUseCase: (id) => call("POST", `/vision-events/use-cases/${path(id)}/unarchive`),
  /** @param {string} id @param {AbortSignal} [signal] @returns {Promise<{ text: string }>} */
  useCaseDocument: (id, signal) => call("GET", `/dashboard/api/use-cases/${path(id)}/document`, undefined, signal),
  /** @param {string} id @param {string} text @param {boolean} check only check it @returns {Promise<{ faults: Fault[], stored: boolean }>} */
  changeUseCaseDocument: (id, text, check) =>
    call("PUT", `/dashboard/api/use-cases/${path(id)}/document${check ? "?check=true" : ""}`, { text }),

  /** @param {object} query @param {AbortSignal} [signal] @returns {Promise<{ events: VisionEvent[], nextCursor: string | null, hasMore: boolean, lookbackDays: number }>} */
  events: (query, signal) => call("POST", "/vision-events/query", query, signal),
  /** @param {object} query @param {AbortSignal} [signal] @returns {Promise<{ count: number, lookbackDays: number }>} */
  countEvents: (query, signal) => call("POST", "/vision-events/count", query, signal),
  /** @param {string} useCaseId @param {string[]} eventIds at most 1000 @returns {Promise<{ deleted: number, notFound: string[] }>} */
  deleteEvents: (useCaseId, eventIds) => call("POST", "/vision-events/delete", { useCaseId, eventIds }),
  /** @param {string} useCaseId @param {string} id @param {AbortSignal} [signal] @returns {Promise<{ event: VisionEvent, origin: Origin, record: object }>} */
  event: (useCaseId, id, signal) => call("GET", `/dashboard/api/events/${path(useCaseId, id)}`, undefined, signal),
  /** @param {VisionEvent} event @param {object} filters @param {AbortSignal} [signal] @returns {Promise<{ newer: string | null, older: string | null }>} */
  neighbours: ({ eventId, timestamp }, filters, signal) => call("POST", "/dashboard/api/events/neighbours", { eventId, timestamp, filters }, signal),
  /** @param {object} event @returns {Promise<{ eventId: string }>} */
  createEvent: (event) => call("POST", "/vision-events/", event),
  /** @param {string} useCaseId @param {string[]} eventIds @param {AbortSignal} [signal] @returns {Promise<{ feedback: Record<string, Said[]> }>} */
  feedback: (useCaseId, eventIds, signal) => call("POST", "/dashboard/api/feedback", { useCaseId, eventIds }, signal),
  /** @param {string} useCaseId @param {string} field @param {string} text @param {AbortSignal} [signal] @returns {Promise<{ values: { value: string, count: number }[] }>} */
  suggestions: (useCaseId, field, text, signal) =>
    call("GET", `/dashboard/api/suggestions/${path(useCaseId)}?${new URLSearchParams({ field, text })}`, undefined, signal),
  /** Keys of metadata: `custom` or `image`. @param {"custom" | "image"} kind @param {string} useCaseId @param {AbortSignal} [signal] @returns {Promise<{ fields: Record<string, { types: string[] }> }>} */
  metadataFields: (kind, useCaseId, signal) => call("GET", `/vision-events/${kind}-metadata-schema/${path(useCaseId)}`, undefined, signal),
  /** @param {object} filters */
  liveAddress: (filters) => `/dashboard/api/live?${new URLSearchParams({ filters: JSON.stringify(filters) })}`,

  /** @param {AbortSignal} [signal] @returns {Promise<{ views: View[] }>} */
  views: (signal) => call("GET", "/dashboard/api/views", undefined, signal),
  /** @param {string} name @param {string} query @param {string} by @returns {Promise<{ id: string }>} */
  saveView: (name, query, by) => call("POST", "/dashboard/api/views", { name, query, by }),
  /** @param {string} id */
  deleteView: (id) => call("DELETE", `/dashboard/api/views/${path(id)}`),
};
