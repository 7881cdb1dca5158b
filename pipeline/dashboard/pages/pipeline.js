// The pipeline as a whole, live: is all well, what came and what became of it, how fast, and every part.
import { EmptyState } from "../components/empty-state.js";
import { ErrorNote } from "../components/error-note.js";
import { FlowCharts } from "../components/flow-charts.js";
import { Icon } from "../components/icon.js";
import { Loading } from "../components/loading.js";
import { PageHeader } from "../components/page-header.js";
import { Balance } from "../components/balance.js";
import { PartsTable, ServicesTable, TopicsTable } from "../components/system-tables.js";
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { useSession } from "../lib/session.js";
import { clock } from "../lib/time.js";
import { usePolling } from "../lib/use-polling.js";

const EVERY_MS = 2000;
/** @type {Record<string, [kind: string, icon: string]>} */
const LEVELS = { well: ["good", "check"], idle: ["", "pause"], "catching up": ["warn", "refresh"], wrong: ["bad", "alert"], away: ["bad", "alert"] };

export default function Pipeline() {
  const { isOperator, workspace } = useSession();
  if (!isOperator) return html`<${EmptyState} icon="flow" title="For those who run the system" text=${`The pipeline serves all workspaces. It is shown to keys of the workspace default; yours is of ${workspace}.`} />`;
  return html`<${Live} />`;
}

function Live() {
  const found = usePolling((signal) => api.system(signal), [], EVERY_MS);
  const state = found.data;
  const [kind, icon] = LEVELS[state?.state ?? ""] ?? ["", "help"];
  return html`
    <${PageHeader} title="Pipeline" text="From the cameras' records to the tables, all workspaces together.">
      ${state && html`<span class=${`badge ${found.error ? "bad" : "good"}`}>${found.error ? "not updated" : html`<span class="pulse"></span> live`}, ${clock(state.now)}</span>`}
    <//>
    ${found.error && html`<${ErrorNote} error=${found.error} retry=${found.reload} />`}
    ${!state && found.loading && html`<${Loading} />`}
    ${state && html`
      <div class=${`note state-note ${kind}`} role="status"><${Icon} name=${icon} />
        <div class="grow">${state.words.map((words) => html`<div key=${words}>${words}</div>`)}</div></div>
      <${Balance} state=${state} />
      <${FlowCharts} state=${state} />
      <div class="charts halves">
        <${ServicesTable} state=${state} />
        <${PartsTable} state=${state} />
        <${TopicsTable} state=${state} />
      </div>`}
  `;
}
