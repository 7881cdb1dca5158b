// Keys of a page: useKeys({ j: next, k: previous }). They are off while somebody writes or a dialog is open.
import { useLayoutEffect, useRef } from "../vendor/preact-hooks.js";

/** @param {Record<string, (event: KeyboardEvent) => void>} keys by `KeyboardEvent.key` */
export function useKeys(keys) {
  const current = useRef(keys);
  current.current = keys;
  // Before the page is painted: whoever sees it may press a key at once.
  useLayoutEffect(() => {
    const pressed = (/** @type {KeyboardEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = /** @type {Element} */ (event.target);
      if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
      // Buttons and links have these keys for themselves.
      if ((event.key === "Enter" || event.key === " ") && target.closest("button, a, summary")) return;
      const run = current.current[event.key];
      if (!run) return;
      event.preventDefault();
      run(event);
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
