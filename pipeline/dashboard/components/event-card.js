// One event as a picture.
import { annotationsOf, classCounts, colourOf, frameSize, plainPicture, shownImage } from "../lib/annotations.js";
import { html } from "../lib/html.js";
import { counted } from "../lib/numbers.js";
import { Icon } from "./icon.js";
import { FilterLink } from "./filter-link.js";
import { Overlay } from "./overlay.js";
import { SmallPicture } from "./small-picture.js";
import { TimeStamp } from "./time-stamp.js";
import { Feedback, Outcome } from "./verdict.js";

/** @typedef {import("../lib/api.js").VisionEvent} VisionEvent */

/**
 * @typedef {object} EventProps
 * @property {VisionEvent} event
 * @property {string} href
 * @property {URLSearchParams} params
 * @property {import("../lib/api.js").Said[]} [said]
 * @property {boolean} selected
 * @property {(event: VisionEvent, range: boolean) => void} select
 */

/** @param {EventProps & { overlays: boolean }} props */
export function EventCard({ event, href, params, said, selected, select, overlays }) {
  const image = shownImage(event);
  const picture = plainPicture(image);
  const size = frameSize(event, image);
  const found = annotationsOf(image);
  const classes = classCounts(found.filter(({ kind }) => kind !== "classifications"));
  const labels = classCounts(found.filter(({ kind }) => kind === "classifications"));
  return html`<article class=${selected ? "event-card selected" : "event-card"}>
    <a class="picture" href=${href} data-event=${event.eventId} aria-label=${`Event of ${event.timestamp}`}>
      ${picture ? html`<${SmallPicture} image=${image} />` : html`<span class="no-picture"><${Icon} name="image" size=${28} />no picture kept</span>`}
      ${overlays && size && html`<${Overlay} size=${size} annotations=${found} />`}
    </a>
    <input type="checkbox" class="pick" checked=${selected} aria-label="Select this event"
      onClick=${(/** @type {MouseEvent} */ click) => select(event, click.shiftKey)} />
    <div class="card-marks"><${Outcome} event=${event} /><${Feedback} said=${said} quiet /></div>
    <div class="card-text">
      <div class="line"><strong><${TimeStamp} value=${event.timestamp} /></strong>
        ${event.warnings && html`<span class="badge warn" title=${event.warnings.map(({ message }) => message).join("\n")}>${counted(event.warnings.length, "warning")}</span>`}</div>
      <div class="line muted">
        ${event.deviceId && html`<${FilterLink} params=${params} name="device" value=${event.deviceId} />`}
        ${Object.entries(event.customMetadata ?? {}).slice(0, 3).map(
          ([key, value]) => html`<${FilterLink} key=${key} params=${params} name="meta" field=${key} value=${value} />`,
        )}
      </div>
      <div class="line classes">
        ${[...classes, ...labels].slice(0, 4).map(
          ([name, count]) => html`<${FilterLink} key=${name} params=${params} name="class" value=${name}><span class="dot" style=${{ background: colourOf(name) }}></span>${count > 1 ? `${count} × ${name}` : name}<//>`,
        )}
      </div>
    </div>
  </article>`;
}
