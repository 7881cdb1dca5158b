// Records that could not be stored: by reason, each with its record; sent again or discarded.
import { EmptyState } from "../components/empty-state.js";
import { ErrorNote } from "../components/error-note.js";
import { Icon } from "../components/icon.js";
import { Loading } from "../components/loading.js";
import { PageHeader } from "../components/page-header.js";
import { ReasonList } from "../components/reason-list.js";
import { RejectActions } from "../components/reject-actions.js";
import { RejectList } from "../components/reject-list.js";
import { RejectRecord } from "../components/reject-record.js";
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { counted } from "../lib/numbers.js";
import { addressOf, go } from "../lib/router.js";
import { usePolling } from "../lib/use-polling.js";
import { useEffect, useState } from "../vendor/preact-hooks.js";

// Who looks for what went wrong sees it come.
const EVERY_MS = 10_000;
const STATES = ["open", "replayed", "discarded"];
const FILTERS = /** @type {const} */ (["state", "reason", "useCase", "device"]);

/** @param {{ place: import("../lib/router.js").Place }} props */
export default function Rejects({ place }) {
  const { params } = place;
  const chosen = Object.fromEntries(FILTERS.flatMap((name) => (params.get(name) ? [[name, /** @type {string} */ (params.get(name))]] : [])));
  const state = chosen.state ?? "open";
  const id = params.get("id") ?? "";
  const found = usePolling((signal) => api.rejects(chosen, signal), [JSON.stringify(chosen)], EVERY_MS);
  const [selected, setSelected] = useState(/** @type {string[]} */ ([]));
  const [turn, setTurn] = useState(0);
  useEffect(() => setSelected([]), [JSON.stringify(chosen)]);
  const address = (/** @type {Record<string, string | null>} */ changes) => addressOf("rejects", { ...chosen, ...changes });
  const changed = () => {
    setSelected([]);
    setTurn((before) => before + 1);
    found.reload();
  };
  const total = found.data?.counts.reduce((sum, count) => sum + count.rejects, 0) ?? 0;
  const shown = chosen.reason ? found.data?.counts.find((count) => count.reason === chosen.reason)?.rejects ?? 0 : total;
  const narrowed = chosen.reason || chosen.useCase || chosen.device;

  return html`
    <${PageHeader} title="Rejects" text=${found.data && total > 0 && `${counted(total, `${state === "open" ? "open " : state} reject`)}. Each is kept whole, with what was wrong with it.`}>
      <div class="segmented" role="group" aria-label="State">
        ${STATES.map((each) => html`<button key=${each} aria-pressed=${each === state} onClick=${() => go(addressOf("rejects", { ...chosen, state: each === "open" ? null : each, reason: null }))}>${each}</button>`)}
      </div>
      <button class="button icon-only" title="Load again" aria-label="Load again" onClick=${changed}><${Icon} name="refresh" /></button>
    <//>
    ${(chosen.useCase || chosen.device) && html`<p class="line-of-chips">
      ${["useCase", "device"].filter((name) => chosen[name]).map((name) => html`<a key=${name} class="badge accent" href=${address({ [name]: null })}
        aria-label=${`Remove: ${chosen[name]}`}>${name === "device" ? "device" : "use case"} ${chosen[name]} <${Icon} name="close" size=${12} /></a>`)}
    </p>`}
    ${found.error && html`<${ErrorNote} error=${found.error} retry=${found.reload} />`}
    ${!found.data && found.loading && html`<${Loading} />`}
    ${found.data && !total && html`<${EmptyState} icon="check" title=${state === "open" ? "Nothing waits here" : `Nothing is ${state}`}
      text=${state === "open" ? "Every record that arrived was stored, or somebody has decided of it." : "What is decided of rejects shows here until their retention is over."} />`}
    ${found.data && total > 0 && html`
      <${ReasonList} counts=${found.data.counts} chosen=${chosen.reason} address=${address} />
      <${RejectActions} state=${state} choice=${selected.length ? { ids: selected } : narrowed && shown && state === "open" ? chosen : null}
        number=${selected.length || shown} most=${found.data.mostReplayed} done=${changed} clear=${selected.length ? () => setSelected([]) : undefined} />
      <div class=${id ? "split has-detail" : "split"}>
        <${RejectList} rejects=${found.data.rejects} number=${shown} current=${id} selected=${selected} select=${setSelected} address=${address} />
        ${id && html`<${RejectRecord} key=${id} id=${id} turn=${turn} close=${address({ id: null })} address=${address} done=${changed} />`}
      </div>`}
  `;
}
