// One use case among others; children are its menu.
import { html } from "../lib/html.js";
import { count } from "../lib/numbers.js";
import { addressOf } from "../lib/router.js";
import { Sparkline } from "./sparkline.js";
import { TimeStamp } from "./time-stamp.js";

/**
 * @param {{ useCase: import("../lib/api.js").UseCase, activity: import("../lib/api.js").Activity | null | undefined, days?: number,
 *   children?: import("../vendor/preact.js").ComponentChildren }} props `activity`: undefined until it is known
 */
export function UseCaseCard({ useCase, activity, days, children }) {
  const today = activity?.lastDay.reduce((sum, value) => sum + value, 0) ?? 0;
  const types = activity?.eventTypes.length ? activity.eventTypes : [useCase.eventType];
  return html`<article class="card use-case">
    <header>
      <h2><a href=${addressOf("events", { useCase: useCase.id })}>${useCase.name}</a></h2>
      ${useCase.status === "inactive" && html`<span class="badge">archived</span>`}
      ${children}
    </header>
    <p class="description">${useCase.description || html`<span class="muted">${useCase.id}</span>`}</p>
    ${activity === undefined ? html`<div class="shimmer"></div>` : html`<${Sparkline} values=${activity?.lastDay ?? Array(24).fill(0)} label=${`${count(today)} events in the last 24 hours`} />`}
    <dl class="figures">
      <div><dt>last ${days ?? "…"} days</dt><dd>${activity === undefined ? "…" : count(activity?.eventCount ?? 0)}</dd></div>
      <div><dt>last 24 hours</dt><dd>${activity === undefined ? "…" : count(today)}</dd></div>
      <div><dt>last event</dt><dd>${activity ? html`<${TimeStamp} value=${activity.lastEvent} relative />` : activity === null ? "none" : "…"}</dd></div>
    </dl>
    <footer>${types.map((type) => html`<span key=${type} class="tag">${type.replaceAll("_", " ")}</span>`)}</footer>
  </article>`;
}
