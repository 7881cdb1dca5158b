// The record of one reject as it came, with the field marked that is at fault, and what was decided of it.
import { api } from "../lib/api.js";
import { html } from "../lib/html.js";
import { count, counted } from "../lib/numbers.js";
import { reasonHelp, reasonLabel } from "../lib/reject-reasons.js";
import { useRequest } from "../lib/use-request.js";
import { useEffect, useRef } from "../vendor/preact-hooks.js";
import { ErrorNote } from "./error-note.js";
import { Icon } from "./icon.js";
import { Loading } from "./loading.js";
import { RejectActions } from "./reject-actions.js";
import { TimeStamp } from "./time-stamp.js";

/**
 * @param {{ id: string, turn: number, close: string, done: () => void }} props `turn`: another one reads it again
 */
export function RejectRecord({ id, turn, close, done }) {
  const found = useRequest((signal) => api.rejectRecord(id, signal), [id, turn]);
  const mark = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => mark.current?.scrollIntoView({ block: "nearest" }), [found.data]);
  if (found.error) return html`<section class="card"><${ErrorNote} error=${found.error} retry=${found.reload} /></section>`;
  const reject = found.data;
  if (!reject) return html`<section class="card"><${Loading} /></section>`;
  const marked = reject.lines.findIndex(([, is]) => is);
  const last = reject.decisions.at(-1)?.state ?? "open";
  return html`<section class="card reject-record" aria-label="Record">
    <header>
      <h2 class="grow">${reasonLabel(reject.reason)}${reject.field && html` <code>${reject.field}</code>`}</h2>
      <a class="button plain icon-only" aria-label="Close" href=${close}><${Icon} name="close" /></a>
    </header>
    <p class="field-error">${reject.message}</p>
    <p class="muted">${reasonHelp(reject.reason)}</p>
    <${RejectActions} state=${last} choice=${{ ids: [id] }} number=${1} most=${1} done=${done} />
    <dl class="pairs">
      <dt>arrived</dt><dd><${TimeStamp} value=${reject.timestamp} /></dd>
      <dt>place in Kafka</dt><dd><code>${id}</code></dd>
      ${reject.key && html`<dt>key</dt><dd><code>${reject.key}</code></dd>`}
      ${reject.headers.map(([name, value]) => html`<dt>${name}</dt><dd><code>${value}</code></dd>`)}
      <dt>size</dt><dd>${counted(reject.size, "byte")}</dd>
    </dl>
    ${!reject.fieldIsThere && html`<p class="note warn"><${Icon} name="alert" /><span><code>${reject.field}</code> is not in the record; marked is the nearest part that is.</span></p>`}
    ${reject.first > 0 && html`<p class="hint">${count(reject.first)} lines before are left out</p>`}
    <ol class="record" start=${reject.first + 1} tabindex="0" aria-label="The record, line by line">
      ${reject.lines.map(([line, is], index) => html`<li key=${index} class=${is ? "bad" : ""} ref=${index === marked ? mark : null} aria-label=${is ? `at fault: ${line}` : undefined}>${line}</li>`)}
    </ol>
    ${reject.first + reject.lines.length < reject.total && html`<p class="hint">${count(reject.total - reject.first - reject.lines.length)} lines after are left out</p>`}
    ${reject.decisions.length > 0 && html`<h3>Decided</h3><ul class="decisions">${reject.decisions.map((each) => html`<li>
      <strong>${each.state}</strong> <span class="muted"><${TimeStamp} value=${each.decidedAt} /> by ${each.decidedBy}</span>${each.note && html`<div>${each.note}</div>`}</li>`)}</ul>`}
  </section>`;
}
