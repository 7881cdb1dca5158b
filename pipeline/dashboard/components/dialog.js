// A question in front of the page. The browser keeps the focus within it; Escape and the backdrop close it.
import { html } from "../lib/html.js";
import { useEffect, useRef } from "../vendor/preact-hooks.js";
import { Icon } from "./icon.js";

/**
 * @param {{ title: string, close: () => void, wide?: boolean, children?: import("../vendor/preact.js").ComponentChildren }} props
 */
export function Dialog({ title, close, wide, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-label=${title} onClose=${close}
    onMouseDown=${(/** @type {MouseEvent} */ event) => event.target === element.current && element.current?.close()}>
    <div class="dialog-body">
      <header><h2>${title}</h2>
        <button class="button plain icon-only" aria-label="Close" onClick=${() => element.current?.close()}><${Icon} name="close" /></button>
      </header>
      ${children}
    </div>
  </dialog>`;
}
