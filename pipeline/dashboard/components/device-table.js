// Devices as a table, the worst state first.
import { STATES, ratePerHour } from "../lib/devices.js";
import { html } from "../lib/html.js";
import { count, counted } from "../lib/numbers.js";
import { addressOf } from "../lib/router.js";
import { span } from "../lib/time.js";
import { Sparkline } from "./sparkline.js";
import { TimeStamp } from "./time-stamp.js";

/** @typedef {import("../lib/api.js").Device & { state: import("../lib/devices.js").DeviceState }} Device */

const ORDER = Object.keys(STATES);

/** @param {{ devices: Device[], factories: Record<string, string> }} props */
export function DeviceTable({ devices, factories }) {
  const sorted = [...devices].sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || one.id.localeCompare(other.id));
  return html`<div class="table-frame device-table"><table>
    <thead><tr><th>Device</th><th>State</th><th>Where</th><th>Last event</th><th class="number">Last hour</th><th>24 hours</th><th class="number">Rejects</th></tr></thead>
    <tbody>${sorted.map((device) => html`<tr key=${device.id}>
      <td>${device.useCaseId ? html`<a href=${addressOf("events", { useCase: device.useCaseId, device: device.id })}>${device.name || device.id}</a>` : device.name || device.id}
        ${device.name && html`<div class="muted">${device.id}</div>`}${!device.registered && html`<div><span class="badge" title="It is not in the registry of devices">not registered</span></div>`}</td>
      <td><span class=${`badge ${STATES[device.state].kind}`} title=${STATES[device.state].help}>${STATES[device.state].label}</span>
        ${device.state === "quiet" && device.quietAfterSeconds !== null && html`<div class="hint">unusual after ${span(device.quietAfterSeconds)}</div>`}</td>
      <td>${factories[device.factoryId] ?? device.factoryId}<div class="muted">${[device.streamId, device.useCaseId].filter(Boolean).join(", ")}</div></td>
      <td class="when">${device.lastEvent ? html`<${TimeStamp} value=${device.lastEvent} relative />` : html`<span class="muted">none</span>`}</td>
      <td class="number" data-label="last hour">${count(device.lastHour)}</td>
      <td class="spark-cell">${device.lastDay ? html`<${Sparkline} values=${device.hours} label=${`${counted(device.lastDay, "event")} in 24 hours`} /><span class="hint">${count(device.lastDay)} in all, ${count(Math.round(ratePerHour(device.hours)))} an hour</span>` : html`<span class="muted">–</span>`}</td>
      <td class="number" data-label="rejects">${device.rejects ? html`<a href=${addressOf("rejects", { device: device.id })}>${count(device.rejects)}</a>` : html`<span class="muted">0</span>`}</td>
    </tr>`)}</tbody>
  </table></div>`;
}
