// The list of events of a filter: page after page by cursor, and what was said of them. It outlives the page of events,
// so that one event leads to the next, and back to the same place.
import { useEffect, useState } from "../vendor/preact-hooks.js";
import { api } from "./api.js";
import { filtersOf, queryOf } from "./filters.js";

/** @typedef {import("./api.js").VisionEvent} VisionEvent */
/** @typedef {import("./api.js").Said} Said */

// A screen full comes first: reading and drawing more would only keep it waiting.
const FIRST = 24;
const PAGE = 60;
const LIVE_KEEPS = 600;

export class EventList extends EventTarget {
  /** @param {string} address the filters, as in the address */
  constructor(address) {
    super();
    this.address = address;
    this.query = queryOf(new URLSearchParams(address), Date.now());
    /** @type {VisionEvent[]} */
    this.events = [];
    /** @type {Record<string, Said[]>} */
    this.feedback = {};
    /** @type {string | null} */
    this.cursor = null;
    this.more = true;
    this.loading = false;
    /** @type {Error | null} */
    this.error = null;
    this.scroll = 0;
    this.abort = new AbortController();
    /** @type {Promise<void> | null} */
    this.pending = null;
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** The next page, unless there is none; one that is under way is the one, but not one that was given up. @returns {Promise<void>} */
  load() {
    if (!this.more) return Promise.resolve();
    if (this.pending && this.abort.signal.aborted) return this.pending.then(() => this.load());
    this.pending ??= this.read().finally(() => (this.pending = null));
    return this.pending;
  }

  async read() {
    this.loading = true;
    this.error = null;
    this.changed();
    const { signal } = (this.abort = new AbortController());
    try {
      const page = await api.events({ ...this.query, limit: this.cursor ? PAGE : FIRST, ...(this.cursor ? { cursor: this.cursor } : {}) }, signal);
      this.add(page.events, false);
      this.cursor = page.nextCursor;
      this.more = page.hasMore;
      this.readFeedback(page.events);
    } catch (error) {
      if (!signal.aborted) this.error = /** @type {Error} */ (error);
    }
    this.loading = false;
    this.changed();
  }

  /** Nobody looks any more: a page that is under way is given up. */
  leave() {
    this.abort.abort();
  }

  /** @param {VisionEvent[]} events @param {boolean} onTop */
  add(events, onTop) {
    const known = new Set(this.events.map((event) => event.eventId));
    const fresh = events.filter((event) => !known.has(event.eventId));
    this.events = onTop ? [...fresh, ...this.events] : [...this.events, ...fresh];
    if (onTop && this.events.length > LIVE_KEEPS) this.events = this.events.slice(0, LIVE_KEEPS);
    this.changed();
  }

  /** @param {VisionEvent[]} events */
  async readFeedback(events) {
    if (!events.length) return;
    try {
      const { feedback } = await api.feedback(this.query.useCaseId, events.map((event) => event.eventId));
      // What was said here a moment ago may not be stored yet.
      for (const [id, said] of Object.entries(feedback)) if (said.length >= (this.feedback[id]?.length ?? 0)) this.feedback[id] = said;
      this.changed();
    } catch {
      // The list is of use without.
    }
  }

  /** @param {string[]} ids */
  remove(ids) {
    const gone = new Set(ids);
    this.events = this.events.filter((event) => !gone.has(event.eventId));
    this.changed();
  }

  /** What could not be stored after all, or was withdrawn. @param {string} eventId @param {string} id */
  unsaid(eventId, id) {
    this.feedback = { ...this.feedback, [eventId]: (this.feedback[eventId] ?? []).filter((said) => said.id !== id) };
    this.changed();
  }

  /** The first event that nobody has reviewed, from a place on. @param {number} [from] */
  firstOpen(from = 0) {
    return this.events.slice(from).find(({ eventId }) => !this.feedback[eventId]?.length);
  }

  /** What was just said, before it is stored. @param {string} eventId @param {Said} said */
  said(eventId, said) {
    this.feedback = { ...this.feedback, [eventId]: [...(this.feedback[eventId] ?? []), said] };
    this.changed();
  }
}

/** @type {EventList | null} */
let current = null;

/** The list of an address's filters; `null` while no use case is chosen. @param {URLSearchParams} params */
export function eventList(params) {
  const address = filtersOf(params).toString();
  if (!params.get("useCase")) return null;
  if (current?.address !== address) current = new EventList(address);
  return current;
}

/** Begin anew: relative times count from now. */
export function forgetList() {
  current = null;
}

/** A component is drawn anew whenever the list changes. @param {EventList | null} list */
export function useList(list) {
  const [, draw] = useState(0);
  useEffect(() => {
    const update = () => draw((turn) => turn + 1);
    list?.addEventListener("change", update);
    update();
    return () => list?.removeEventListener("change", update);
  }, [list]);
  return list;
}
