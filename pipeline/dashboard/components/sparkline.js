// A row of small bars, the oldest left.
import { html } from "../lib/html.js";

/** @param {{ values: number[], label: string }} props */
export function Sparkline({ values, label }) {
  const most = Math.max(1, ...values);
  const width = 100 / values.length;
  return html`<svg class="sparkline" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label=${label}>
    <title>${label}</title>
    ${values.map((value, index) => {
      const height = value ? Math.max(2, (value / most) * 27) : 1;
      return html`<rect class=${value ? "" : "none"} x=${index * width + width * 0.12} y=${28 - height} width=${width * 0.76} height=${height} />`;
    })}
  </svg>`;
}
