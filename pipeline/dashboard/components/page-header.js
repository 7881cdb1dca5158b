// The top of a page: its title, a line about it, and its actions. It also names the browser's tab.
import { html } from "../lib/html.js";
import { useEffect } from "../vendor/preact-hooks.js";

/** @param {{ title: string, text?: import("../vendor/preact.js").ComponentChildren, children?: import("../vendor/preact.js").ComponentChildren }} props */
export function PageHeader({ title, text, children }) {
  useEffect(() => {
    document.title = `${title} · Vision Events`;
  }, [title]);
  return html`<header class="page-header">
    <div class="grow"><h1>${title}</h1>${text && html`<p class="muted">${text}</p>`}</div>
    <div class="actions">${children}</div>
  </header>`;
}
