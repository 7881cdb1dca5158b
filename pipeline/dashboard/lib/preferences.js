// What this browser remembers of its user: theme, time zone, and the name beside reviews. Nothing of it is secret.
import { useEffect, useState } from "../vendor/preact-hooks.js";

/** @typedef {{ theme: "system" | "light" | "dark", zone: string, reviewer: string }} Preferences */

const KEY = "vision-events";
/** `zone`: `browser`, or an IANA name. @type {Preferences} */
const DEFAULTS = { theme: "system", zone: "browser", reviewer: "" };
const changed = new EventTarget();

/** @returns {Preferences} */
export function preferences() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

/** @param {Partial<Preferences>} change */
export function setPreferences(change) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...preferences(), ...change }));
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
  applyTheme();
  changed.dispatchEvent(new Event("change"));
}

/** The preferences, anew whenever they change. */
export function usePreferences() {
  const [value, setValue] = useState(preferences);
  useEffect(() => {
    const update = () => setValue(preferences());
    changed.addEventListener("change", update);
    window.addEventListener("storage", update);
    return () => {
      changed.removeEventListener("change", update);
      window.removeEventListener("storage", update);
    };
  }, []);
  return value;
}

/** Make the page light or dark; `system` leaves it to the browser. */
export function applyTheme() {
  document.documentElement.dataset.theme = preferences().theme;
}
