// How many were rejected for each reason, as bars that are links.
import { html } from "../lib/html.js";
import { count } from "../lib/numbers.js";
import { reasonHelp, reasonLabel } from "../lib/reject-reasons.js";
import { TimeStamp } from "./time-stamp.js";

/**
 * @param {{ counts: import("../lib/api.js").RejectCount[], chosen: string | undefined,
 *   address: (changes: Record<string, string | null>) => string }} props
 */
export function ReasonList({ counts, chosen, address }) {
  const most = Math.max(...counts.map((each) => each.rejects));
  return html`<ul class="reasons">
    ${counts.map((each) => html`<li key=${each.reason}>
      <a class=${each.reason === chosen ? "reason on" : "reason"} aria-current=${each.reason === chosen ? "true" : undefined}
        href=${address({ reason: each.reason === chosen ? null : each.reason, id: null })} title=${reasonHelp(each.reason)}>
        <span class="grow"><strong>${reasonLabel(each.reason)}</strong> <span class="muted">last <${TimeStamp} value=${each.newest} relative /></span></span>
        <span class="number">${count(each.rejects)}</span>
        <meter min="0" max=${most} value=${each.rejects} aria-hidden="true"></meter>
      </a></li>`)}
  </ul>
  ${chosen && html`<p class="muted reason-help">${reasonHelp(chosen)}</p>`}`;
}
