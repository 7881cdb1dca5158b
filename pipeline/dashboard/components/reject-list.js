// The newest rejects that match. A row leads to its record; the boxes choose several.
import { html } from "../lib/html.js";
import { count } from "../lib/numbers.js";
import { reasonLabel } from "../lib/reject-reasons.js";
import { useSession } from "../lib/session.js";
import { TimeStamp } from "./time-stamp.js";

/** @typedef {import("../lib/api.js").Reject} Reject */

/**
 * @param {{ rejects: Reject[], number: number, current: string, selected: string[], select: (ids: string[]) => void,
 *   address: (changes: Record<string, string | null>) => string }} props
 */
export function RejectList({ rejects, number, current, selected, select, address }) {
  const { canWrite } = useSession();
  const toggle = (/** @type {string} */ id) => select(selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id]);
  const all = selected.length === rejects.length;
  return html`<div class="reject-list">
    <div class="table-frame"><table>
      <thead><tr>
        ${canWrite && html`<th class="pick-cell"><input type="checkbox" aria-label="Choose all that are listed" checked=${all && rejects.length > 0} onChange=${() => select(all ? [] : rejects.map(({ id }) => id))} /></th>`}
        <th>Arrived</th><th>What is wrong</th><th>Use case, device</th>
      </tr></thead>
      <tbody>${rejects.map((reject) => html`<tr key=${reject.id} class=${reject.id === current ? "on" : ""}>
        ${canWrite && html`<td class="pick-cell"><input type="checkbox" aria-label=${`Choose ${reject.id}`} checked=${selected.includes(reject.id)} onChange=${() => toggle(reject.id)} /></td>`}
        <td class="when"><${TimeStamp} value=${reject.timestamp} /></td>
        <td><a class="row-link" href=${address({ id: reject.id })}><strong>${reasonLabel(reject.reason)}</strong>${reject.field && html` <code>${reject.field}</code>`}</a>
          <div class="message">${reject.message}</div>
          ${reject.attempts > 1 && html`<span class="badge">tried ${reject.attempts} times</span>`}
          ${reject.state !== "open" && html`<div class="hint">${reject.state} <${TimeStamp} value=${reject.decidedAt} relative /> by ${reject.decidedBy}${reject.note && `: ${reject.note}`}</div>`}</td>
        <td>${reject.useCaseId ? html`<a class="value" href=${address({ useCase: reject.useCaseId, id: null })}>${reject.useCaseId}</a>` : html`<span class="muted">none</span>`}
          ${reject.deviceId && html`<div><a class="value muted" href=${address({ device: reject.deviceId, id: null })}>${reject.deviceId}</a></div>`}</td>
      </tr>`)}</tbody>
    </table></div>
    ${number > rejects.length && html`<p class="list-end muted">The newest ${count(rejects.length)} of ${count(number)}. Replay and discard take all of a reason.</p>`}
  </div>`;
}
