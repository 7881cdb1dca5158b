// Something went wrong: what, and a way to try again.
import { html } from "../lib/html.js";
import { Icon } from "./icon.js";

/** @param {{ error: Error, retry?: () => void }} props */
export function ErrorNote({ error, retry }) {
  return html`<div class="note bad" role="alert">
    <${Icon} name="alert" />
    <span class="grow">${error.message}</span>
    ${retry && html`<button class="button small" onClick=${retry}>Try again</button>`}
  </div>`;
}
