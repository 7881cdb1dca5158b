// The top of the page of events: which use case, how many, how much of it is reviewed, and how it is shown.
import { api } from "../lib/api.js";
import { saveCsv, saveJsonLines } from "../lib/download.js";
import { filtersOf, withParams } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { count, counted } from "../lib/numbers.js";
import { addressOf } from "../lib/router.js";
import { useRequest } from "../lib/use-request.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";
import { PageHeader } from "./page-header.js";
import { SavedViews } from "./saved-views.js";
import { tell } from "./toasts.js";

const EXPORTED = 10_000;
const LIVE = { off: "Live", connecting: "Connecting", live: "Live", lost: "Live view ended" };

/**
 * @param {{ params: URLSearchParams, useCases: import("../lib/api.js").UseCase[], list: import("../lib/event-list.js").EventList,
 *   live: keyof typeof LIVE, set: (params: URLSearchParams) => void, reload: () => void }} props
 */
export function EventsHeader({ params, useCases, list, live, set, reload }) {
  const chosen = params.get("useCase") ?? "";
  const table = params.get("view") === "table";
  const name = useCases.find(({ id }) => id === chosen)?.name ?? chosen;
  const open = list.firstOpen() ?? list.events[0];
  const toggle = (/** @type {string} */ flag) => set(withParams(params, { [flag]: params.has(flag) ? null : "1" }));
  const choose = (/** @type {{ currentTarget: HTMLSelectElement }} */ event) => set(new URLSearchParams({ useCase: event.currentTarget.value, ...(table ? { view: "table" } : {}) }));
  return html`<${PageHeader} title=${name} text=${html`<${Counts} key=${list.address} list=${list} />`}>
      <label><span class="out-of-sight">Use case</span><select value=${chosen} onChange=${choose}>
        ${useCases.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}</select></label>
      <div class="segmented" role="group" aria-label="Shown as">
        <button aria-pressed=${!table} title="Pictures" onClick=${() => set(withParams(params, { view: null }))}><${Icon} name="events" size=${16} /><span class="out-of-sight">Pictures</span></button>
        <button aria-pressed=${table} title="Table" onClick=${() => set(withParams(params, { view: "table" }))}><${Icon} name="table" size=${16} /><span class="out-of-sight">Table</span></button>
      </div>
      <button class=${`button ${live === "off" ? "" : "on"}`} aria-pressed=${live !== "off"} title=${live === "off" ? "Show new events as they come" : "Pause"} onClick=${() => toggle("live")}>
        <${Icon} name=${live === "off" ? "play" : "pause"} size=${15} /> ${LIVE[live]}${live === "live" && html`<span class="pulse"></span>`}</button>
      ${open && html`<a class="button primary" title="Go through the events with the keyboard" href=${addressOf(["event", open.useCaseId, open.eventId], withParams(params, { review: "1" }))}>
        <${Icon} name="check" size=${16} /> Review</a>`}
      <${SavedViews} params=${params} />
      <${Menu} label=${html`<${Icon} name="more" />`} title="More" class="button icon-only">
        <button onClick=${reload}><${Icon} name="refresh" size=${15} /> Load again</button>
        <button onClick=${() => toggle("plain")}><${Icon} name="image" size=${15} /> ${params.has("plain") ? "Draw what was found" : "Pictures without drawings"}</button>
        <button onClick=${() => exportAll(list, saveJsonLines)}><${Icon} name="download" size=${15} /> Export as JSON lines</button>
        <button onClick=${() => exportAll(list, saveCsv)}><${Icon} name="download" size=${15} /> Export as CSV</button>
        <a href=${addressOf("analysis", filtersOf(params))}><${Icon} name="chart" size=${15} /> Analysis of these events</a>
        <a href=${addressOf(["use-case", chosen])}><${Icon} name="document" size=${15} /> Document of the use case</a>
      <//>
    <//>`;
}

/** How many there are, counted apart: the list never waits for it. @param {{ list: import("../lib/event-list.js").EventList }} props */
function Counts({ list }) {
  const { feedbackStatus, ...others } = list.query;
  // One after the other, and after the first page: counting reads all events, and must not take the page's share.
  const first = list.events.length > 0 || !list.more;
  const total = useRequest(async (signal) => (first ? api.countEvents(list.query, signal) : null), [list, first]);
  const toAsk = Boolean(total.data) && !feedbackStatus;
  const open = useRequest(async (signal) => (toAsk ? api.countEvents({ ...others, feedbackStatus: "none" }, signal) : null), [list, toAsk]);
  if (total.error) return html`not counted: ${total.error.message}`;
  if (!total.data) return list.error ? "" : "counting …";
  const reviewed = open.data ? total.data.count - open.data.count : null;
  return html`<span class="counts">${counted(total.data.count, "event")}${list.query.startTime ? "" : ` of the last ${total.data.lookbackDays} days`}
    ${reviewed !== null && total.data.count > 0 && html`<span class="progress" title="Reviewed by somebody"><progress max=${total.data.count} value=${reviewed} aria-label="Reviewed"></progress>${count(reviewed)} reviewed</span>`}</span>`;
}

/** @param {import("../lib/event-list.js").EventList} list @param {(name: string, events: import("../lib/api.js").VisionEvent[]) => void} save */
async function exportAll(list, save) {
  /** @type {import("../lib/api.js").VisionEvent[]} */
  const events = [];
  let cursor = null;
  try {
    do {
      const page = /** @type {Awaited<ReturnType<typeof api.events>>} */ (await api.events({ ...list.query, limit: 1000, ...(cursor ? { cursor } : {}) }));
      events.push(...page.events);
      cursor = page.nextCursor;
    } while (cursor && events.length < EXPORTED);
    save(list.query.useCaseId, events);
    tell(cursor ? `Exported the newest ${count(events.length)}; for more than that ask the HTTP API or SQL` : `Exported ${counted(events.length, "event")}`);
  } catch (error) {
    tell(/** @type {Error} */ (error).message, { bad: true });
  }
}
