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

/** @typedef {{ workspace: string, keyName: string, scopes: string[], canRead: boolean, canWrite: boolean, factories: Factory[], now: string }} Session */
/** @typedef {{ id: string, name: string, timeZone: string }} Factory */
/** @typedef {{ id: string, name: string, description: string, status: "active" | "inactive", eventType: string, retentionDays: number, fields: Record<string, { type: string, description: string }> }} UseCase */
/** @typedef {{ eventCount: number, lastEvent: string, eventTypes: string[], lastDay: number[] }} Activity */
/** @typedef {{ line: number, field: string, message: string }} Fault */

export const api = {
  /** Null where nobody is logged in. @returns {Promise<Session | null>} */
  session: () => call("GET", "/dashboard/api/session"),
  /** @param {{ key: string } | { token: string }} proof @returns {Promise<Session>} */
  logIn: (proof) => call("POST", "/dashboard/api/session", proof),
  logOut: () => call("DELETE", "/dashboard/api/session"),

  /** @param {AbortSignal} [signal] @returns {Promise<{ useCases: UseCase[] }>} */
  useCases: (signal) => call("GET", "/dashboard/api/use-cases", undefined, signal),
  /** @param {AbortSignal} [signal] @returns {Promise<{ activity: Record<string, Activity>, lookbackDays: number }>} */
  useCaseActivity: (signal) => call("GET", "/dashboard/api/use-cases/activity", undefined, signal),
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
};
