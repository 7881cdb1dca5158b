// An alert that is open: what, where, since when, and the event behind it.
import { SEVERITY, eventOf, eventsOf, openSeconds, ruleLabel, valueText } from "../lib/alerts.js";
import { local } from "../lib/annotations.js";
import { html } from "../lib/html.js";
import { addressOf } from "../lib/router.js";
import { useSession } from "../lib/session.js";
import { span } from "../lib/time.js";
import { Icon } from "./icon.js";
import { TimeStamp } from "./time-stamp.js";

/** @param {{ alert: import("../lib/api.js").Alert, useCase: string, silence: (alert: import("../lib/api.js").Alert) => void }} props */
export function AlertCard({ alert, useCase, silence }) {
  const { canWrite } = useSession();
  const event = eventOf(alert);
  return html`<article class=${`card alert-card ${SEVERITY[alert.severity] ?? ""}`}>
    ${event
      ? html`<a class="alert-picture" href=${event} aria-label="The event behind">${alert.imageUrl ? html`<img src=${local(alert.imageUrl)} alt="" loading="lazy" />` : html`<${Icon} name="image" size=${28} />`}</a>`
      : html`<span class="alert-picture"><${Icon} name="pause" size=${28} /></span>`}
    <div class="alert-text">
      <div class="line"><span class=${`badge ${SEVERITY[alert.severity] ?? ""}`}>${alert.severity}</span>
        <h2>${ruleLabel(alert.rule)}</h2>
        ${alert.suppressedBy && html`<span class="badge">not told: ${alert.suppressedBy}</span>`}</div>
      <p>${alert.annotations.summary ?? `The rule counted ${valueText(alert.value)}.`}</p>
      <p class="muted"><a href=${addressOf(["use-case", alert.useCaseId])}>${useCase}</a>
        ${Object.entries(alert.group).filter(([, value]) => value).map(([label, value]) => html` · ${label} <strong>${value}</strong>`)}</p>
      <p class="muted">for <strong>${span(openSeconds(alert))}</strong>, since <${TimeStamp} value=${alert.firedAt} />, value ${valueText(alert.value)}</p>
      <div class="line">
        ${event ? html`<a class="button small" href=${event}><${Icon} name="image" size=${15} /> The event behind</a>` : html`<span class="hint">Silence set it off: there is no event.</span>`}
        <a class="button small" href=${eventsOf(alert)}><${Icon} name="events" size=${15} /> Events of the group</a>
        ${canWrite && html`<button class="button small" onClick=${() => silence(alert)}><${Icon} name="pause" size=${15} /> Silence</button>`}
      </div>
    </div>
  </article>`;
}
