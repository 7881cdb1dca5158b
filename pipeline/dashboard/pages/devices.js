// Cameras and what was heard of each: last event, rate, rejects, and which are quiet.
import { DeviceTable } from "../components/device-table.js";
import { EmptyState } from "../components/empty-state.js";
import { ErrorNote } from "../components/error-note.js";
import { Loading } from "../components/loading.js";
import { PageHeader } from "../components/page-header.js";
import { api } from "../lib/api.js";
import { STATES, stateOf } from "../lib/devices.js";
import { html } from "../lib/html.js";
import { counted } from "../lib/numbers.js";
import { addressOf, go } from "../lib/router.js";
import { useSession } from "../lib/session.js";
import { usePolling } from "../lib/use-polling.js";

const EVERY_MS = 10_000;
const SHOWN = 500;

/** @typedef {{ currentTarget: HTMLInputElement & HTMLSelectElement }} Changed */

/** @param {{ place: import("../lib/router.js").Place }} props */
export default function Devices({ place }) {
  const { factories } = useSession();
  const { params } = place;
  const found = usePolling((signal) => api.devices(signal), [], EVERY_MS);
  const chosen = { state: params.get("state") ?? "", factory: params.get("factory") ?? "", text: params.get("text") ?? "" };
  const set = (/** @type {Record<string, string>} */ changes) => go(addressOf("devices", { ...chosen, ...changes }), { replace: true });
  const now = Date.now();
  const all = (found.data?.devices ?? []).map((device) => ({ ...device, state: stateOf(device, now) }));
  const text = chosen.text.toLowerCase();
  const matching = all.filter(
    (device) =>
      (!chosen.factory || device.factoryId === chosen.factory) &&
      (!chosen.state || device.state === chosen.state) &&
      (!text || `${device.id} ${device.name} ${device.useCaseId} ${device.streamId}`.toLowerCase().includes(text)),
  );
  const numbers = Object.keys(STATES).map((state) => /** @type {const} */ ([state, all.filter((device) => device.state === state).length]));
  const places = [...new Set(all.map(({ factoryId }) => factoryId).filter(Boolean))].sort();
  const named = Object.fromEntries(factories.map(({ id, name }) => [id, name || id]));

  return html`
    <${PageHeader} title="Devices" text=${found.data && `${counted(all.length, "device")}, registered or heard of within ${found.data.lookbackDays} days.`}>
      <label><span class="out-of-sight">Find</span><input type="search" placeholder="Find a device" value=${chosen.text} onInput=${(/** @type {Changed} */ event) => set({ text: event.currentTarget.value })} /></label>
      <label><span class="out-of-sight">Factory</span><select value=${chosen.factory} onChange=${(/** @type {Changed} */ event) => set({ factory: event.currentTarget.value })}>
        <option value="">All factories</option>${places.map((id) => html`<option key=${id} value=${id}>${named[id] ?? id}</option>`)}</select></label>
    <//>
    ${found.error && html`<${ErrorNote} error=${found.error} retry=${found.reload} />`}
    ${!found.data && found.loading && html`<${Loading} />`}
    ${found.data && !all.length && html`<${EmptyState} icon="camera" title="No device yet"
      text="A device shows here with its first event. vision-events devices apply registers cameras beforehand, with factory, use case and metadata." />`}
    ${all.length > 0 && html`
      <div class="states" role="group" aria-label="State">
        ${numbers.filter(([, number]) => number).map(([state, number]) => html`<button key=${state} class=${`state ${STATES[state].kind}`} aria-pressed=${chosen.state === state} title=${STATES[state].help}
          onClick=${() => set({ state: chosen.state === state ? "" : state })}><strong>${number}</strong> ${STATES[state].label}</button>`)}
      </div>
      ${matching.length
        ? html`<${DeviceTable} devices=${matching.slice(0, SHOWN)} factories=${named} />`
        : html`<${EmptyState} icon="search" title="No such device"><button class="button" onClick=${() => set({ state: "", factory: "", text: "" })}>Show all</button><//>`}
      ${(matching.length > SHOWN || found.data?.more) && html`<p class="list-end muted">More than ${SHOWN} match: narrow it down.</p>`}`}
  `;
}
