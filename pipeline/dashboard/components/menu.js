// A button that opens a small panel below itself. Escape, a click elsewhere and a choice close it.
import { html } from "../lib/html.js";
import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";

/**
 * @param {{ label: import("../vendor/preact.js").ComponentChildren, title: string, class?: string, align?: "left" | "right", stay?: boolean,
 *   children?: import("../vendor/preact.js").ComponentChildren }} props `stay`: clicks within do not close it
 */
export function Menu({ label, title, class: kind = "button", align = "right", stay, children }) {
  const element = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  // What is within may ask the server for something: not before somebody looks.
  const [seen, setSeen] = useState(false);
  const shut = () => element.current && (element.current.open = false);
  useEffect(() => {
    const outside = (/** @type {Event} */ event) => {
      if (event.target instanceof Node && !element.current?.contains(event.target)) shut();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, []);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !element.current?.open) return;
    event.stopPropagation();
    shut();
    element.current.querySelector("summary")?.focus();
  };
  return html`<details class="menu" ref=${element} onKeyDown=${onKeyDown} onToggle=${() => element.current?.open && setSeen(true)}>
    <summary class=${kind} title=${title} aria-label=${title}>${label}</summary>
    <div class=${`menu-panel ${align}`} onClick=${stay ? undefined : shut}>${seen && children}</div>
  </details>`;
}
