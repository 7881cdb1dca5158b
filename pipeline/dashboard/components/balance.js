// Produced = stored + rejected + under way: nothing is missing, or it is said.
import { html } from "../lib/html.js";
import { count } from "../lib/numbers.js";
import { addressOf } from "../lib/router.js";

const RAW = "vision.inferences";

/** @param {{ state: import("../lib/api.js").SystemState }} props */
export function Balance({ state }) {
  const raw = state.topics[RAW];
  if (!raw || raw.stored === null || raw.rejected === null || raw.unaccounted === null)
    return html`<p class="note warn">Not known while a service is away: produced, stored and rejected.</p>`;
  const newest = state.flow.filter(({ at }) => at >= Date.parse(state.now) / 1000 - 35 && at < Date.parse(state.now) / 1000 - state.flowStep);
  const rate = newest.reduce((sum, { stored, rejected }) => sum + stored + rejected, 0) / 30;
  /** @type {[string, string, number, string, string][]} */
  const parts = [
    ["", "produced", raw.produced, "Records that producers ever sent", ""],
    ["=", "stored", raw.stored, "Records that became events", ""],
    ["+", "rejected", raw.rejected, "Records that could not be stored, with the reason", addressOf("rejects")],
    ["+", "under way", raw.unaccounted, "Neither yet", ""],
  ];
  return html`<section aria-label="Produced is stored and rejected"><dl class="balance">
    ${parts.map(([sign, name, number, title, href]) => html`
      <div key=${name} data-sign=${sign} class=${name === "under way" && number ? "waits" : ""} title=${title}><dt>${href ? html`<a href=${href}>${name}</a>` : name}</dt><dd>${count(number)}</dd></div>`)}
    <div class="rate" title="Records stored or rejected, over half a minute"><dt>now</dt><dd>${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}<small>/s</small></dd></div>
  </dl></section>`;
}
