// The events of a use case, newest first: as pictures or as a table, filtered, live.
import { EmptyState } from "../components/empty-state.js";
import { ErrorNote } from "../components/error-note.js";
import { EventCard } from "../components/event-card.js";
import { EventTable } from "../components/event-table.js";
import { EventsHeader } from "../components/events-header.js";
import { FilterBar, chipsOf } from "../components/filter-bar.js";
import { Loading } from "../components/loading.js";
import { SelectionBar } from "../components/selection-bar.js";
import { api } from "../lib/api.js";
import { eventList, forgetList, useList } from "../lib/event-list.js";
import { filtersOf, withParams } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { addressOf, go } from "../lib/router.js";
import { useKeys } from "../lib/use-keys.js";
import { useLive } from "../lib/use-live.js";
import { useRequest } from "../lib/use-request.js";
import { useSelection } from "../lib/use-selection.js";
import { useEffect, useRef } from "../vendor/preact-hooks.js";

/** @typedef {import("../lib/api.js").VisionEvent} VisionEvent */

/** @param {{ place: import("../lib/router.js").Place }} props */
export default function Events({ place }) {
  const { params } = place;
  const useCases = useRequest((signal) => api.useCases(signal), []);
  const all = useCases.data?.useCases ?? [];
  useEffect(() => {
    // Without a use case in the address the first one is as good as any.
    const first = all.find((useCase) => useCase.status === "active") ?? all[0];
    if (!params.get("useCase") && first) go(addressOf("events", withParams(params, { useCase: first.id })), { replace: true });
  }, [params, useCases.data]);
  if (useCases.error) return html`<${ErrorNote} error=${useCases.error} retry=${useCases.reload} />`;
  if (useCases.data && !all.length)
    return html`<${EmptyState} icon="events" title="No use case yet" text="Events belong to a use case."><a class="button primary" href=${addressOf("use-cases")}>Make the first one</a><//>`;
  if (!params.get("useCase")) return html`<${Loading} />`;
  return html`<${Found} params=${params} useCases=${all} />`;
}

/** @param {{ params: URLSearchParams, useCases: import("../lib/api.js").UseCase[] }} props */
function Found({ params, useCases }) {
  const list = /** @type {import("../lib/event-list.js").EventList} */ (useList(eventList(params)));
  const table = params.get("view") === "table";
  const overlays = !params.has("plain");
  const live = useLive(list, params.has("live"));
  const { selection, select, clear, selectAll } = useSelection(list.events);
  const end = useRef(/** @type {HTMLDivElement | null} */ (null));
  const set = (/** @type {URLSearchParams} */ changed) => go(addressOf("events", changed));
  const hrefOf = (/** @type {VisionEvent} */ event) => addressOf(["event", event.useCaseId, event.eventId], filtersOf(params));
  const reload = () => {
    forgetList();
    go(addressOf("events", params), { replace: true });
  };

  useEffect(() => {
    clear();
    if (list.events.length) requestAnimationFrame(() => window.scrollTo(0, list.scroll));
    else list.load();
    const remember = () => (list.scroll = window.scrollY);
    window.addEventListener("scroll", remember, { passive: true });
    return () => {
      window.removeEventListener("scroll", remember);
      list.leave();
    };
  }, [list]);
  useEffect(() => {
    if (!end.current) return;
    const watcher = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && list.load(), { rootMargin: "800px" });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [list, list.events.length]);

  const step = (/** @type {number} */ by) => {
    const links = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-event]"))];
    links[Math.min(Math.max(links.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + by, 0), links.length - 1)]?.focus();
  };
  const pick = (/** @type {KeyboardEvent} */ event) => {
    const id = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.event;
    const found = list.events.find(({ eventId }) => eventId === id);
    if (found) select(found, event.shiftKey);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    x: pick,
    X: pick,
    a: selectAll,
    Escape: clear,
  });

  return html`
    <${EventsHeader} params=${params} useCases=${useCases} list=${list} live=${live} set=${set} reload=${reload} />
    <${FilterBar} params=${params} apply=${set} />
    <${SelectionBar} list=${list} selection=${selection} clear=${clear} selectAll=${selectAll} />
    ${table
      ? list.events.length > 0 && html`<${EventTable} events=${list.events} params=${params} feedback=${list.feedback} selection=${selection} select=${select} hrefOf=${hrefOf} />`
      : html`<div class="event-grid">${list.events.map((event) => html`<${EventCard} key=${event.eventId} event=${event} href=${hrefOf(event)} params=${params}
          said=${list.feedback[event.eventId]} selected=${selection.has(event.eventId)} select=${select} overlays=${overlays} />`)}</div>`}
    ${list.error && html`<${ErrorNote} error=${list.error} retry=${() => list.load()} />`}
    ${list.loading && html`<${Loading} lines=${list.events.length ? 1 : 6} label="Loading events" />`}
    ${!list.loading && !list.error && !list.events.length && html`<${Nothing} params=${params} set=${set} />`}
    ${!list.loading && !list.more && list.events.length > 0 && html`<p class="list-end muted">That is all.</p>`}
    <div ref=${end}></div>
  `;
}

/** @param {{ params: URLSearchParams, set: (params: URLSearchParams) => void }} props */
function Nothing({ params, set }) {
  const times = ["last", "from", "to", "tod"].some((name) => params.has(name));
  const filtered = chipsOf(params).length > 0;
  const only = (/** @type {string[]} */ names) => new URLSearchParams([...params].filter(([name]) => names.includes(name)));
  return html`<${EmptyState} icon="search" title=${filtered || times ? "No event like this" : "No event yet"}
    text=${filtered || times ? "Nothing within the look-back of this use case matches all of the filters." : "As soon as a camera sends its first result it shows here."}>
    ${times && html`<button class="button" onClick=${() => set(withParams(params, { last: null, from: null, to: null, tod: null }))}>Look at all times</button>`}
    ${filtered && html`<button class="button" onClick=${() => set(only(["useCase", "last", "from", "to", "tod", "view", "live"]))}>Remove the filters</button>`}
  <//>`;
}
