// Values with bars, the largest first; each may lead somewhere. One part of a bar may be marked, such as what failed.
import { html } from "../lib/html.js";

/** @typedef {{ label: string, value: number, marked?: number, text: string, extra?: string, href?: string | null }} Bar */

/** @param {{ bars: Bar[], more?: string }} props `more`: what is not in the list */
export function BarList({ bars, more }) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return html`<ol class="bars">${bars.map((bar) => html`<li key=${bar.label}>
      <span class="bar-label">${bar.href ? html`<a href=${bar.href} title=${`Only ${bar.label}`}>${bar.label}</a>` : html`<span class=${bar.label ? "" : "muted"}>${bar.label || "none"}</span>`}</span>
      <span class="bar" aria-hidden="true"><span class="bar-whole" style=${{ width: `${(bar.value / most) * 100}%` }}>
        ${bar.marked !== undefined && html`<span class="bar-marked" style=${{ width: `${bar.value ? (bar.marked / bar.value) * 100 : 0}%` }}></span>`}</span></span>
      <span class="number">${bar.text}</span>
      ${bar.extra !== undefined && html`<span class="number extra">${bar.extra}</span>`}
    </li>`)}</ol>
  ${more && html`<p class="hint">${more}</p>`}`;
}
