// A time in the chosen zone; the exact one, with the zone, is its title.
import { html } from "../lib/html.js";
import { usePreferences } from "../lib/preferences.js";
import { ago, dateTime, offset } from "../lib/time.js";

/** @param {{ value: string, relative?: boolean }} props */
export function TimeStamp({ value, relative = false }) {
  usePreferences(); // another zone, another text
  const exact = `${dateTime(value, true)} ${offset(value)}`;
  return html`<time datetime=${value} title=${exact}>${relative ? ago(value) : dateTime(value)}</time>`;
}
