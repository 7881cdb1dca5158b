// All that an event says, besides what was found on its picture. Every value leads to the events that have it too.
import { html } from "../lib/html.js";
import { count } from "../lib/numbers.js";
import { addressOf } from "../lib/router.js";
import { Icon } from "./icon.js";
import { FilterLink } from "./filter-link.js";
import { TimeStamp } from "./time-stamp.js";
import { tell } from "./toasts.js";

/** @typedef {import("../lib/api.js").VisionEvent} VisionEvent */

/** @param {{ title: string, children?: import("../vendor/preact.js").ComponentChildren }} props */
const Facts = ({ title, children }) => html`<section class="card facts"><h2>${title}</h2>${children}</section>`;

/** @param {{ event: VisionEvent, origin: import("../lib/api.js").Origin, record: object, image: import("../lib/api.js").EventImage | undefined, params: URLSearchParams }} props */
export function EventFacts({ event, origin, record, image, params }) {
  const rows = (/** @type {Record<string, any> | undefined} */ values, /** @type {string} */ name) =>
    Object.entries(values ?? {}).map(([key, value]) => html`<dt key=${key}>${key}</dt>
      <dd>${key === "relatedEventId" ? html`<a href=${addressOf(["event", event.useCaseId, value])}>${value}</a>` : typeof value === "object" ? JSON.stringify(value) : html`<${FilterLink} params=${params} name=${name} field=${key} value=${value} />`}</dd>`);
  const sources = /** @type {[string, string | undefined][]} */ ([["factory", event.factoryId], ["device", event.deviceId], ["stream", event.streamId], ["workflow", event.workflowId]]);
  return html`
    ${event.warnings && html`<section class="card facts"><h2>Warnings</h2><ul class="warnings">${event.warnings.map((warning) => html`<li key=${warning.code + warning.field}>
      <span class="badge warn">${warning.code.replaceAll("_", " ")}</span> <code>${warning.field}</code> ${warning.message}</li>`)}</ul></section>`}
    ${Object.keys(event.customMetadata ?? {}).length > 0 && html`<${Facts} title="Metadata"><dl>${rows(event.customMetadata, "meta")}</dl><//>`}
    ${Object.keys(event.eventData).length > 0 && html`<${Facts} title=${event.eventType.replaceAll("_", " ")}><dl>${rows(event.eventData, "data")}</dl><//>`}
    ${Object.keys(image?.metadata ?? {}).length > 0 && html`<${Facts} title="Image"><dl>${rows(image?.metadata, "image")}</dl><//>`}
    <${Facts} title="Source"><dl>
      <dt>time</dt><dd><${TimeStamp} value=${event.timestamp} /></dd>
      ${sources.map(([name, value]) => value && html`<dt key=${name}>${name}</dt><dd><${FilterLink} params=${params} name=${name} value=${value} /></dd>`)}
      ${event.frameId && html`<dt>frame</dt><dd>${event.frameId}</dd>`}
      <dt>event id</dt><dd><code>${event.eventId}</code> <${Copy} text=${event.eventId} what="the id" /></dd>
    </dl><//>
    <${Facts} title="Kafka"><dl>
      <dt>topic</dt><dd>${origin.topic}</dd><dt>partition</dt><dd>${origin.partition}</dd><dt>offset</dt><dd>${count(origin.offset)}</dd>
      <dt>stored</dt><dd><${TimeStamp} value=${origin.insertedAt} /></dd><dt>kept</dt><dd>${origin.retentionDays} days</dd>
    </dl><//>
    <details class="card facts json"><summary><h2>Stored record</h2></summary>
      <${Copy} text=${JSON.stringify(record, null, 2)} what="the record" /><pre tabindex="0">${JSON.stringify(record, null, 2)}</pre></details>`;
}

/** @param {{ text: string, what: string }} props */
export function Copy({ text, what }) {
  const copy = () => navigator.clipboard?.writeText(text).then(() => tell(`Copied ${what}`), () => tell("The browser does not allow copying here", { bad: true }));
  return html`<button class="button plain icon-only" aria-label=${`Copy ${what}`} title=${`Copy ${what}`} onClick=${copy}><${Icon} name="copy" size=${14} /></button>`;
}
