// Grey shapes while something is on its way; they appear late, so that what is fast does not flicker.
import { html } from "../lib/html.js";

/** @param {{ lines?: number, label?: string }} props */
export function Loading({ lines = 4, label = "Loading" }) {
  return html`<div class="loading" role="status" aria-label=${label}>
    ${Array.from({ length: lines }, () => html`<div class="shimmer"></div>`)}
  </div>`;
}
