// Markup: html`<div class=${name}>${text}</div>`. What is put in is text or an element, never markup.
import htm from "../vendor/htm.js";
import { h } from "../vendor/preact.js";

export const html = htm.bind(h);
