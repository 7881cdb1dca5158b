// One event: its picture with what was found on it, all that it says, and what people say of it.
import { AnnotationList, visible } from "../components/annotation-list.js";
import { EmptyState } from "../components/empty-state.js";
import { ErrorNote } from "../components/error-note.js";
import { EventFacts } from "../components/event-facts.js";
import { EventHeader } from "../components/event-header.js";
import { FeedbackPanel } from "../components/feedback-panel.js";
import { ImageViewer } from "../components/image-viewer.js";
import { Loading } from "../components/loading.js";
import { tell } from "../components/toasts.js";
import { annotationsOf, frameSize, local, plainPicture, shownImage } from "../lib/annotations.js";
import { api } from "../lib/api.js";
import { filtersOf } from "../lib/filters.js";
import { say } from "../lib/feedback.js";
import { html } from "../lib/html.js";
import { usePreferences } from "../lib/preferences.js";
import { addressOf, go } from "../lib/router.js";
import { useSession } from "../lib/session.js";
import { useKeys } from "../lib/use-keys.js";
import { useNeighbours } from "../lib/use-neighbours.js";
import { useRequest } from "../lib/use-request.js";
import { useState } from "../vendor/preact-hooks.js";

/** @typedef {import("../lib/api.js").Said} Said */

/** @param {{ place: import("../lib/router.js").Place }} props */
export default function EventPage({ place }) {
  const [useCase = "", id = ""] = place.rest;
  const { params } = place;
  const filters = filtersOf(params);
  filters.set("useCase", useCase);
  const { canWrite, keyName } = useSession();
  const reviewer = usePreferences().reviewer || keyName;
  const review = params.has("review");
  const [drawn, setDrawn] = useState(/** @type {import("../components/annotation-list.js").Drawn} */ ({ least: 0, hidden: new Set(), off: false }));
  const [position, setPosition] = useState(/** @type {{ of: string, at: number } | null} */ (null));
  const [output, setOutput] = useState(false);
  const [chosen, choose] = useState("");
  const loaded = useRequest((signal) => api.event(useCase, id, signal), [useCase, id]);
  const asked = useRequest((signal) => api.feedback(useCase, [id], signal), [useCase, id]);
  const { list, newer, older, index } = useNeighbours(filters, useCase, id, loaded.data?.event);
  // Within a list the event is there at once; the rest of what is known of it follows.
  const event = loaded.data?.event.eventId === id ? loaded.data.event : list?.events[index];
  const here = list?.feedback[id] ?? [];
  const stored = asked.data?.feedback[id] ?? [];
  const said = here.length > stored.length ? here : stored;

  const to = (/** @type {string | null | undefined} */ other) => {
    if (!other) return;
    choose("");
    go(addressOf(["event", useCase, other], params), { replace: true });
  };
  const answer = (/** @type {string} */ feedback, /** @type {string} */ comment) => {
    if (!event || !canWrite) return;
    const given = say(event, feedback, comment, reviewer);
    if (list) {
      if (stored.length > here.length) list.feedback[id] = stored;
      list.said(id, given.said);
    }
    given.stored.then(
      () => list || asked.reload(),
      (error) => {
        list?.unsaid(id, given.said.id);
        tell(`Not stored: ${error.message}`, { bad: true });
      },
    );
    if (review) goOn();
  };
  /** To the next event that nobody has reviewed. Who is faster than the list waits for its next page. */
  const goOn = async () => {
    let next = list?.firstOpen(index + 1)?.eventId ?? older;
    if (!next && list?.more) {
      await list.load();
      next = list.firstOpen(index + 1)?.eventId;
    }
    next ? to(next) : tell("That was the last one of this filter");
  };
  const withdraw = async (/** @type {Said} */ each) => {
    try {
      await api.deleteEvents(useCase, [each.id]);
      if (list) {
        list.feedback[id] = said;
        list.unsaid(id, each.id);
      }
      asked.reload();
    } catch (error) {
      tell(/** @type {Error} */ (error).message, { bad: true });
    }
  };
  const typed = () => /** @type {HTMLInputElement | null} */ (document.getElementById("comment"))?.value.trim() ?? "";
  const key = (/** @type {string} */ feedback) => () => answer(feedback, typed());
  useKeys({
    ArrowRight: () => to(older), ArrowLeft: () => to(newer), j: () => to(older), k: () => to(newer),
    c: key("correct"), i: key("incorrect"), u: key("inconclusive"), 1: key("correct"), 2: key("incorrect"), 3: key("inconclusive"),
    m: () => document.getElementById("comment")?.focus(),
    o: () => setDrawn({ ...drawn, off: !drawn.off }),
    Escape: () => go(addressOf("events", filters)),
  });

  const images = event?.images ?? [];
  const at = position?.of === id ? position.at : undefined;
  const image = at === undefined ? event && shownImage(event) : images[at];
  const annotations = annotationsOf(image);
  return html`
    <${EventHeader} event=${event} id=${id} params=${params} filters=${filters} newer=${newer} older=${older} to=${to} index=${index} list=${list} review=${review} />
    ${loaded.error && (/** @type {any} */ (loaded.error).status === 404
      ? html`<${EmptyState} icon="search" title="No such event" text=${loaded.error.message}><a class="button" href=${addressOf("events", filters)}>Back to the events</a><//>`
      : html`<${ErrorNote} error=${loaded.error} retry=${loaded.reload} />`)}
    ${!event && loaded.loading && html`<${Loading} lines=${8} />`}
    ${event && !loaded.error && html`<div class="event-page">
      <div class="event-picture">
        <${ImageViewer} picture=${output ? local(image?.url) : plainPicture(image)} size=${frameSize(event, image)} chosen=${chosen} choose=${choose}
          annotations=${output ? [] : visible(annotations, drawn)} alt=${`Picture of the event of ${event.timestamp}`} />
        <div class="viewer-choice">
          ${image?.url && image.inputUrl && html`<div class="segmented" role="group" aria-label="Picture">
            <button aria-pressed=${!output} onClick=${() => setOutput(false)}>Original, with overlays</button>
            <button aria-pressed=${output} onClick=${() => setOutput(true)}>Output image</button></div>`}
          ${images.length > 1 && html`<div class="segmented" role="group" aria-label="View">${images.map((each, number) => html`<button key=${number}
            aria-pressed=${image === each} onClick=${() => setPosition({ of: id, at: number })}>${each.label ?? `View ${number + 1}`}</button>`)}</div>`}
        </div>
        <section class="card" aria-label="What was found"><${AnnotationList} annotations=${annotations} drawn=${drawn} draw=${setDrawn} chosen=${chosen} choose=${choose} params=${filters} /></section>
      </div>
      <div class="event-side">
        <${FeedbackPanel} key=${id} said=${said} reviewer=${reviewer} answer=${answer} withdraw=${withdraw} />
        ${loaded.data?.event.eventId === id ? html`<${EventFacts} event=${event} origin=${loaded.data.origin} record=${loaded.data.record} image=${image} params=${filters} />` : html`<${Loading} />`}
      </div>
    </div>`}
  `;
}
