// Events as rows, with the metadata keys that they have as columns.
import { annotationsOf, classCounts, plainPicture, shownImage } from "../lib/annotations.js";
import { html } from "../lib/html.js";
import { confidence } from "../lib/numbers.js";
import { FilterLink } from "./filter-link.js";
import { SmallPicture } from "./small-picture.js";
import { TimeStamp } from "./time-stamp.js";
import { Feedback, Outcome } from "./verdict.js";

/** @typedef {import("../lib/api.js").VisionEvent} VisionEvent */

const MAX_COLUMNS = 6;

/** @param {VisionEvent[]} events */
function metadataColumns(events) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const event of events) for (const key of Object.keys(event.customMetadata ?? {})) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, MAX_COLUMNS).map(([key]) => key);
}

/**
 * @param {{ events: VisionEvent[], params: URLSearchParams, feedback: Record<string, import("../lib/api.js").Said[]>, selection: Set<string>,
 *   select: (event: VisionEvent, range: boolean) => void, hrefOf: (event: VisionEvent) => string }} props
 */
export function EventTable({ events, params, feedback, selection, select, hrefOf }) {
  const keys = metadataColumns(events);
  return html`<div class="table-frame" tabindex="0" role="region" aria-label="Events"><table class="events">
    <thead><tr><th><span class="out-of-sight">Selected</span></th><th>Time</th><th>Result</th><th>Review</th><th>Device</th>
      ${keys.map((key) => html`<th key=${key}>${key}</th>`)}<th>Classes</th><th class="number">Confidence</th></tr></thead>
    <tbody>${events.map((event) => {
      const found = annotationsOf(shownImage(event));
      const picture = plainPicture(shownImage(event));
      const most = Math.max(-1, ...found.map((each) => each.confidence ?? -1));
      return html`<tr key=${event.eventId} class=${selection.has(event.eventId) ? "selected" : ""}>
        <td><input type="checkbox" aria-label="Select this event" checked=${selection.has(event.eventId)}
          onClick=${(/** @type {MouseEvent} */ click) => select(event, click.shiftKey)} /></td>
        <td><a class="row-link" href=${hrefOf(event)} data-event=${event.eventId}>
          ${picture && html`<${SmallPicture} image=${shownImage(event)} width=${48} height=${36} />`}<${TimeStamp} value=${event.timestamp} /></a></td>
        <td><${Outcome} event=${event} /></td>
        <td><${Feedback} said=${feedback[event.eventId]} quiet /></td>
        <td>${event.deviceId && html`<${FilterLink} params=${params} name="device" value=${event.deviceId} />`}</td>
        ${keys.map((key) => {
          const value = event.customMetadata?.[key];
          return html`<td key=${key}>${value !== undefined && html`<${FilterLink} params=${params} name="meta" field=${key} value=${value} />`}</td>`;
        })}
        <td><div class="classes">${classCounts(found).slice(0, 3).map(([name, count]) => html`<${FilterLink} key=${name} params=${params} name="class" value=${name}>${count > 1 ? `${count} × ${name}` : name}<//>`)}</div></td>
        <td class="number">${most < 0 ? "" : confidence(most)}</td>
      </tr>`;
    })}</tbody>
  </table></div>`;
}
