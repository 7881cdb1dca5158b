// Nothing to show: says so, why, and what can be done. Children are the actions.
import { html } from "../lib/html.js";
import { Icon } from "./icon.js";

/** @param {{ icon?: string, title: string, text?: string, children?: import("../vendor/preact.js").ComponentChildren }} props */
export function EmptyState({ icon = "inbox", title, text, children }) {
  return html`<div class="empty">
    <${Icon} name=${icon} size=${36} />
    <h2>${title}</h2>
    ${text && html`<p>${text}</p>`}
    <div class="actions">${children}</div>
  </div>`;
}
