// Where one is: the address holds the whole state of a page, so that it can be shared, kept and gone back to.
import { useEffect, useState } from "../vendor/preact-hooks.js";

const BASE = "/dashboard/";

/**
 * @typedef {object} Place
 * @property {string} page first part of the address, such as `events`
 * @property {string[]} rest the parts after it, decoded
 * @property {URLSearchParams} params
 */

/** @returns {Place} */
export function currentPlace() {
  const [page = "", ...rest] = location.pathname.slice(BASE.length).split("/").filter(Boolean).map(decoded);
  return { page, rest, params: new URLSearchParams(location.search) };
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The address of a place.
 * @param {string | string[]} path parts of the address, encoded here
 * @param {URLSearchParams | Record<string, string | number | boolean | null | undefined>} [params] empty ones are left out
 */
export function addressOf(path, params = {}) {
  const parts = typeof path === "string" ? [path] : path;
  const given = params instanceof URLSearchParams ? [...params] : Object.entries(params);
  const kept = given.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  const query = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return BASE + parts.map(encodeURIComponent).join("/") + (query ? `?${query}` : "");
}

const changed = new EventTarget();

/**
 * Go to an address made by `addressOf`.
 * @param {string} address
 * @param {{ replace?: boolean }} [how] `replace`: without an entry of its own in the history
 */
export function go(address, { replace = false } = {}) {
  const before = location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  changed.dispatchEvent(new Event("change"));
  if (location.pathname !== before) window.scrollTo(0, 0);
}

/** The place, anew whenever it changes. */
export function usePlace() {
  const [place, setPlace] = useState(currentPlace);
  useEffect(() => {
    const update = () => setPlace(currentPlace());
    changed.addEventListener("change", update);
    window.addEventListener("popstate", update);
    return () => {
      changed.removeEventListener("change", update);
      window.removeEventListener("popstate", update);
    };
  }, []);
  return place;
}

/** Plain links within the dashboard need no loading; those with a modifier key open as everywhere. */
export function catchLinks() {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.origin !== location.origin) return;
    if (!link.pathname.startsWith(BASE) || link.hasAttribute("download")) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
