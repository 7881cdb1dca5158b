// What an event says of itself, and what people said of it: never by colour alone.
import { html } from "../lib/html.js";
import { Icon } from "./icon.js";

/** @type {Record<string, [kind: string, icon: string]>} */
const FEEDBACK = { correct: ["good", "check"], incorrect: ["bad", "close"], inconclusive: ["warn", "help"] };

/** Pass or fail, a count, an alert. @param {{ event: import("../lib/api.js").VisionEvent }} props */
export function Outcome({ event }) {
  const { result, itemCount, itemType, alertType, severity, value, feedback } = event.eventData;
  if (feedback) return html`<span class="badge">says ${feedback}</span>`;
  if (result) return html`<span class=${`badge ${result === "pass" ? "good" : "bad"}`}><${Icon} name=${result === "pass" ? "check" : "close"} size=${12} />${result}</span>`;
  if (itemCount !== undefined) return html`<span class="badge accent">${itemCount} ${itemType ?? "items"}</span>`;
  if (alertType) return html`<span class=${`badge ${alertType === "none" ? "good" : severity === "high" ? "bad" : "warn"}`}>${alertType === "none" ? "no alert" : alertType.replaceAll("_", " ")}</span>`;
  return value === undefined ? null : html`<span class="badge">${String(value)}</span>`;
}

/** The last word of people. @param {{ said: import("../lib/api.js").Said[] | undefined, quiet?: boolean }} props `quiet`: nothing where nobody said anything */
export function Feedback({ said, quiet }) {
  const last = said?.at(-1);
  if (!last) return quiet ? null : html`<span class="muted">not reviewed</span>`;
  const [kind, icon] = FEEDBACK[last.feedback] ?? ["", "help"];
  const who = last.reviewer || "somebody";
  return html`<span class=${`badge ${kind}`} title=${`${last.feedback}, says ${who}${last.comment ? `: ${last.comment}` : ""}`}>
    <${Icon} name=${icon} size=${12} />${last.feedback}</span>`;
}
