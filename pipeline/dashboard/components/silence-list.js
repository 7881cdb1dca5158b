// Silences that last or are to come.
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { useSession } from "../lib/session.js";
import { EmptyState } from "./empty-state.js";
import { Loading } from "./loading.js";
import { TimeStamp } from "./time-stamp.js";
import { tell } from "./toasts.js";

/** @param {{ silences: import("../lib/use-request.js").Request<{ silences: import("../lib/api.js").Silence[] }> }} props */
export function SilenceList({ silences }) {
  const { canWrite } = useSession();
  if (!silences.data) return silences.loading ? html`<${Loading} />` : null;
  if (!silences.data.silences.length) return html`<${EmptyState} icon="pause" title="Nothing is silenced" text="Silence an alert from its card or from the history, for instance while a tool is changed." />`;
  const end = async (/** @type {string} */ id) => {
    await api.endSilence(id).then(
      () => tell("The silence has ended. What began meanwhile is not told afterwards."),
      (error) => tell(error.message, { bad: true }),
    );
    silences.reload();
  };
  return html`<div class="table-frame"><table>
    <thead><tr><th>Alerts that have</th><th>Until</th><th>Why</th><th>By</th>${canWrite && html`<th><span class="out-of-sight">Actions</span></th>`}</tr></thead>
    <tbody>${silences.data.silences.map((silence) => html`<tr key=${silence.id}>
      <td>${silence.matchers.map(({ label, value }) => html`<span key=${label} class="badge">${label} ${value}</span> `)}</td>
      <td class="when"><${TimeStamp} value=${silence.endsAt} /> <span class="hint">(<${TimeStamp} value=${silence.endsAt} relative />)</span></td>
      <td>${silence.comment}</td><td>${silence.createdBy}</td>
      ${canWrite && html`<td class="row-actions"><button class="button small" onClick=${() => end(silence.id)}>End</button></td>`}
    </tr>`)}</tbody>
  </table></div>`;
}
