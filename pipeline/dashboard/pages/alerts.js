// What fires now, what fired before, and what is silenced.
import { AlertCard } from "../components/alert-card.js";
import { AlertHistory } from "../components/alert-history.js";
import { EmptyState } from "../components/empty-state.js";
import { ErrorNote } from "../components/error-note.js";
import { Loading } from "../components/loading.js";
import { PageHeader } from "../components/page-header.js";
import { SilenceDialog } from "../components/silence-dialog.js";
import { SilenceList } from "../components/silence-list.js";
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { counted } from "../lib/numbers.js";
import { addressOf, go } from "../lib/router.js";
import { usePolling } from "../lib/use-polling.js";
import { useRequest } from "../lib/use-request.js";
import { useState } from "../vendor/preact-hooks.js";

const EVERY_MS = 4000;
const HISTORY = 200;
const TABS = /** @type {const} */ ([["firing", "Firing"], ["history", "History"], ["silences", "Silences"]]);

/** @param {{ place: import("../lib/router.js").Place }} props */
export default function Alerts({ place }) {
  const { params } = place;
  const tab = params.get("show") ?? "firing";
  const useCase = params.get("useCase") ?? "";
  const firing = usePolling((signal) => api.alerts({ status: "firing", limit: "200", ...(useCase ? { useCaseId: useCase } : {}) }, signal), [useCase], EVERY_MS);
  const silences = useRequest((signal) => api.silences(signal), []);
  const useCases = useRequest((signal) => api.useCases(signal), []);
  const [silenced, setSilenced] = useState(/** @type {import("../lib/api.js").Alert | null} */ (null));
  const names = Object.fromEntries((useCases.data?.useCases ?? []).map(({ id, name }) => [id, name]));
  const open = firing.data?.alerts ?? [];
  const error = firing.error ?? silences.error;
  /** @type {Record<string, number | undefined>} */
  const numbers = { firing: firing.data && open.length, silences: silences.data?.silences.length };

  return html`
    <${PageHeader} title="Alerts" text=${firing.data && (open.length ? `${counted(open.length, "alert")} firing now.` : "Nothing fires now.")}>
      <label><span class="out-of-sight">Use case</span><select value=${useCase} onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ event) => go(addressOf("alerts", { show: params.get("show"), useCase: event.currentTarget.value }))}>
        <option value="">All use cases</option>
        ${Object.entries(names).map(([id, name]) => html`<option key=${id} value=${id}>${name}</option>`)}</select></label>
      <div class="segmented" role="group" aria-label="Shown">
        ${TABS.map(([name, label]) => html`<button key=${name} aria-pressed=${tab === name} onClick=${() => go(addressOf("alerts", { show: name === "firing" ? "" : name, useCase }))}>
          ${label}${numbers[name] ? html` <span class="badge ${name === "firing" ? "bad" : ""}">${numbers[name]}</span>` : ""}</button>`)}
      </div>
    <//>
    ${error && html`<${ErrorNote} error=${error} retry=${() => (firing.reload(), silences.reload())} />`}
    ${tab === "firing" && html`
      ${!firing.data && firing.loading && html`<${Loading} />`}
      ${firing.data && !open.length && html`<${EmptyState} icon="bell" title="Nothing fires" text="When a rule of a use case holds, its alert shows here within a second. Rules stand in the document of a use case.">
        <a class="button" href=${addressOf("alerts", { show: "history", useCase })}>Look at those before</a>
        ${useCase && html`<a class="button" href=${addressOf(["use-case", useCase])}>Rules of this use case</a>`}<//>`}
      <div class="alert-cards">${open.map((alert) => html`<${AlertCard} key=${alert.alertId} alert=${alert} useCase=${names[alert.useCaseId] ?? alert.useCaseId} silence=${setSilenced} />`)}</div>`}
    ${tab === "history" && html`<${AlertHistory} key=${useCase} useCase=${useCase} names=${names} limit=${HISTORY} silence=${setSilenced} />`}
    ${tab === "silences" && html`<${SilenceList} silences=${silences} />`}
    ${silenced && html`<${SilenceDialog} alert=${silenced} close=${() => setSilenced(null)} done=${silences.reload} />`}
  `;
}
