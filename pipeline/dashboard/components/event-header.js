// The top of the page of an event: back to its list, the ones before and after it, reviewing.
import { withParams } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { usePreferences } from "../lib/preferences.js";
import { addressOf, go } from "../lib/router.js";
import { dateTime } from "../lib/time.js";
import { Icon } from "./icon.js";
import { Copy } from "./event-facts.js";
import { PageHeader } from "./page-header.js";
import { Outcome } from "./verdict.js";

/**
 * @param {{ event: import("../lib/api.js").VisionEvent | undefined, id: string, params: URLSearchParams, filters: URLSearchParams, newer?: string | null, older?: string | null,
 *   to: (id: string | null | undefined) => void, index: number, list: import("../lib/event-list.js").EventList | null, review: boolean }} props
 */
export function EventHeader({ event, id, params, filters, newer, older, to, index, list, review }) {
  usePreferences();
  const reviewed = list ? list.events.filter(({ eventId }) => list.feedback[eventId]?.length).length : 0;
  const toggle = () => go(location.pathname + addressOf([], withParams(params, { review: review ? null : "1" })).replace(/^[^?]*/, ""), { replace: true });
  return html`<${PageHeader} title=${event ? dateTime(event.timestamp) : id} text=${html`<span class="line">
      <a href=${addressOf("events", filters)}><${Icon} name="left" size=${14} /> All of this filter</a>
      ${event && html`<${Outcome} event=${event} />`}
      ${list && index >= 0 && html`<span class="muted">${index + 1} of ${list.events.length}${list.more ? "+" : ""}, ${reviewed} reviewed</span>`}
      <${Copy} text=${location.origin + addressOf(["event", filters.get("useCase") ?? "", id])} what="a link to this event" /></span>`}>
    <button class=${`button ${review ? "on" : ""}`} aria-pressed=${review} title="After each answer go on to the next event" onClick=${toggle}><${Icon} name="check" size=${15} /> Review${review ? "ing" : ""}</button>
    <div class="segmented" role="group" aria-label="Neighbours">
      <button disabled=${!newer} title="Newer (←, K)" onClick=${() => to(newer)}><${Icon} name="left" size=${16} /> Newer</button>
      <button disabled=${!older} title="Older (→, J)" onClick=${() => to(older)}>Older <${Icon} name="right" size=${16} /></button>
    </div>
  <//>
  ${review && html`<p class="keys hint"><kbd>C</kbd> correct <kbd>I</kbd> incorrect <kbd>U</kbd> inconclusive, each goes on to the next · <kbd>M</kbd> comment first · <kbd>←</kbd> <kbd>→</kbd> move · <kbd>O</kbd> overlays · <kbd>Esc</kbd> back</p>`}`;
}
