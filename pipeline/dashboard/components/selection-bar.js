// What can be done with the events that are selected.
import { api } from "../lib/api.js";
import { saveCsv, saveJsonLines } from "../lib/download.js";
import { html } from "../lib/html.js";
import { counted } from "../lib/numbers.js";
import { useSession } from "../lib/session.js";
import { useState } from "../vendor/preact-hooks.js";
import { Confirm } from "./confirm.js";
import { Icon } from "./icon.js";
import { tell } from "./toasts.js";

const DELETED_AT_ONCE = 1000;

/** @param {{ list: import("../lib/event-list.js").EventList, selection: Set<string>, clear: () => void, selectAll: () => void }} props */
export function SelectionBar({ list, selection, clear, selectAll }) {
  const { canWrite } = useSession();
  const [asking, setAsking] = useState(false);
  const chosen = list.events.filter((event) => selection.has(event.eventId));
  const useCase = list.query.useCaseId;
  const remove = async () => {
    const ids = [...selection];
    let deleted = 0;
    for (let start = 0; start < ids.length; start += DELETED_AT_ONCE) {
      const part = ids.slice(start, start + DELETED_AT_ONCE);
      deleted += (await api.deleteEvents(useCase, part)).deleted;
      list.remove(part);
    }
    clear();
    tell(`Deleted ${counted(deleted, "event")}`);
  };
  if (!selection.size) return null;
  return html`<div class="selection-bar" role="region" aria-label="Selected events">
    <strong>${counted(selection.size, "event")} selected</strong>
    <button class="button small" onClick=${selectAll}>All that are shown</button>
    <button class="button small" onClick=${() => saveJsonLines(useCase, chosen)}><${Icon} name="download" size=${15} /> JSON lines</button>
    <button class="button small" onClick=${() => saveCsv(useCase, chosen)}><${Icon} name="download" size=${15} /> CSV</button>
    ${canWrite && html`<button class="button small" onClick=${() => setAsking(true)}><${Icon} name="trash" size=${15} /> Delete</button>`}
    <button class="button plain small" onClick=${clear}>Select none</button>
    ${asking && html`<${Confirm} title=${`Delete ${counted(selection.size, "event")}?`} danger action="Delete" run=${remove} close=${() => setAsking(false)}
      text="They are gone at once from lists and from SQL, for everybody. Delivering the same records again does not bring them back." />`}
  </div>`;
}
