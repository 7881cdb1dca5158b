// Alerts from the newest on, with how long each lasted and who was told.
import { SEVERITY, eventOf, eventsOf, openSeconds, ruleLabel, valueText } from "../lib/alerts.js";
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { useSession } from "../lib/session.js";
import { span } from "../lib/time.js";
import { useRequest } from "../lib/use-request.js";
import { EmptyState } from "./empty-state.js";
import { ErrorNote } from "./error-note.js";
import { Icon } from "./icon.js";
import { Loading } from "./loading.js";
import { TimeStamp } from "./time-stamp.js";

/** @typedef {import("../lib/api.js").Alert} Alert */

/** @param {{ useCase: string, names: Record<string, string>, limit: number, silence: (alert: Alert) => void }} props */
export function AlertHistory({ useCase, names, limit, silence }) {
  const { canWrite } = useSession();
  const alerts = useRequest((signal) => api.alerts({ limit: String(limit), ...(useCase ? { useCaseId: useCase } : {}) }, signal), [useCase]);
  const deliveries = useRequest((signal) => api.alertDeliveries(signal), []);
  if (alerts.error) return html`<${ErrorNote} error=${alerts.error} retry=${alerts.reload} />`;
  if (!alerts.data) return html`<${Loading} />`;
  if (!alerts.data.alerts.length) return html`<${EmptyState} icon="bell" title="No alert yet" text="Every alert stays here with its beginning, its end and the event behind it." />`;
  const told = Map.groupBy(deliveries.data?.deliveries ?? [], ({ messageId }) => messageId.replace(/-(firing|resolved)$/, ""));
  return html`<div class="table-frame alert-history"><table>
    <thead><tr><th>Fired</th><th>Lasted</th><th>Rule</th><th>Where</th><th>Value</th><th>Told</th><th><span class="out-of-sight">Actions</span></th></tr></thead>
    <tbody>${alerts.data.alerts.map((alert) => html`<tr key=${alert.alertId}>
      <td class="when"><${TimeStamp} value=${alert.firedAt} /></td>
      <td>${alert.endsAt ? span(openSeconds(alert)) : html`<span class="badge bad">firing</span>`}</td>
      <td><strong>${ruleLabel(alert.rule)}</strong> <span class=${`badge ${SEVERITY[alert.severity] ?? ""}`}>${alert.severity}</span>
        <div class="message">${alert.annotations.summary ?? ""}</div></td>
      <td>${names[alert.useCaseId] ?? alert.useCaseId}<div class="muted">${Object.entries(alert.group).filter(([, value]) => value).map(([label, value]) => `${label} ${value}`).join(", ")}</div></td>
      <td class="number" data-label="value">${valueText(alert.value)}</td>
      <td data-label="told"><${Told} alert=${alert} deliveries=${told.get(alert.alertId) ?? []} /></td>
      <td class="row-actions">
        ${eventOf(alert) && html`<a class="button plain icon-only" href=${eventOf(alert)} title="The event behind" aria-label="The event behind"><${Icon} name="image" /></a>`}
        <a class="button plain icon-only" href=${eventsOf(alert)} title="Events of the group" aria-label="Events of the group"><${Icon} name="events" /></a>
        ${canWrite && html`<button class="button plain icon-only" title="Silence such alerts" aria-label="Silence such alerts" onClick=${() => silence(alert)}><${Icon} name="pause" /></button>`}
      </td></tr>`)}</tbody>
  </table></div>
  ${alerts.data.alerts.length === limit && html`<p class="list-end muted">The newest ${limit}; the view alerts in SQL has all.</p>`}`;
}

/** @param {{ alert: Alert, deliveries: import("../lib/api.js").Delivery[] }} props */
function Told({ alert, deliveries }) {
  if (alert.suppressedBy) return html`<span class="badge" title=${alert.suppressedBy}>not told</span>`;
  const dead = deliveries.filter(({ state }) => state === "dead");
  if (dead.length) return html`<span class="badge bad" title=${dead.map(({ receiver, error }) => `${receiver}: ${error}`).join("\n")}>${dead[0].receiver} not reached</span>`;
  const receivers = [...new Set(deliveries.map(({ receiver }) => receiver))];
  return receivers.length ? html`<span class="badge good">${receivers.join(", ")}</span>` : html`<span class="muted">–</span>`;
}
