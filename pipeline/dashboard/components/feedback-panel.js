// What people say of an event: three answers, a comment, and everything that was said before in order of time.
import { html } from "../lib/html.js";
import { setPreferences, usePreferences } from "../lib/preferences.js";
import { useSession } from "../lib/session.js";
import { useState } from "../vendor/preact-hooks.js";
import { Icon } from "./icon.js";
import { TimeStamp } from "./time-stamp.js";
import { Feedback } from "./verdict.js";

/** @type {[answer: string, icon: string, key: string][]} */
export const ANSWERS = [["correct", "check", "C"], ["incorrect", "close", "I"], ["inconclusive", "help", "U"]];

/**
 * @param {{ said: import("../lib/api.js").Said[], reviewer: string, answer: (feedback: string, comment: string) => void,
 *   withdraw: (said: import("../lib/api.js").Said) => void }} props
 */
export function FeedbackPanel({ said, reviewer, answer, withdraw }) {
  const { canWrite } = useSession();
  const [comment, setComment] = useState("");
  const named = usePreferences().reviewer !== "";
  const mine = said.findLast((each) => each.reviewer === reviewer)?.feedback;
  const give = (/** @type {string} */ feedback) => {
    answer(feedback, comment.trim());
    setComment("");
  };
  return html`<section class="card feedback" aria-label="Review">
    ${canWrite && html`
      <div class="answers" role="group" aria-label="Is what the event says true?">
        ${ANSWERS.map(([name, icon, key]) => html`<button key=${name} class=${`button answer ${name}`} aria-pressed=${mine === name} title=${`Key ${key}`} onClick=${() => give(name)}>
          <${Icon} name=${icon} size=${16} />${name}<kbd>${key}</kbd></button>`)}
      </div>
      <label><span class="out-of-sight">Comment</span><input type="text" id="comment" maxlength="1000" value=${comment} placeholder="Comment (M), goes with your answer"
        onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) => setComment(event.currentTarget.value)}
        onKeyDown=${(/** @type {KeyboardEvent & { currentTarget: HTMLInputElement }} */ event) => ["Escape", "Enter"].includes(event.key) && event.currentTarget.blur()} /></label>
      ${named
        ? html`<p class="hint">You review as ${reviewer}.</p>`
        : html`<label class="field"><span>Your name, shown beside your reviews</span><input type="text" maxlength="100" placeholder=${reviewer}
            onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) => setPreferences({ reviewer: event.currentTarget.value.trim() })} /></label>`}`}
    <ol class="activity">
      ${said.map((each) => html`<li key=${each.id}>
        <div class="line"><${Feedback} said=${[each]} /><strong>${each.reviewer || "somebody"}</strong><span class="muted grow"><${TimeStamp} value=${each.at} relative /></span>
          ${canWrite && each.reviewer === reviewer && html`<button class="button plain icon-only" aria-label="Withdraw" title="Withdraw" onClick=${() => withdraw(each)}><${Icon} name="trash" size=${14} /></button>`}</div>
        ${each.comment && html`<p>${each.comment}</p>`}
      </li>`)}
    </ol>
    ${!said.length && html`<p class="muted">Nobody has said anything of this event yet.</p>`}
  </section>`;
}
