// The events before and after one within a filter: from the list that is loaded, else asked for.
import { useEffect } from "../vendor/preact-hooks.js";
import { plainPicture, shownImage } from "./annotations.js";
import { api } from "./api.js";
import { eventList, useList } from "./event-list.js";
import { queryOf } from "./filters.js";
import { useRequest } from "./use-request.js";

/** Events left in the list when the next page is asked for, and how many pictures are loaded ahead. */
const AHEAD = 20;
const PICTURES = 3;

/**
 * @param {URLSearchParams} filters @param {string} useCase @param {string} id @param {import("./api.js").VisionEvent | undefined} event
 */
export function useNeighbours(filters, useCase, id, event) {
  const known = useList(eventList(filters));
  const index = known ? known.events.findIndex(({ eventId }) => eventId === id) : -1;
  const list = index >= 0 ? known : null;
  useEffect(() => {
    if (!list) return;
    if (index > list.events.length - AHEAD) list.load();
    for (const next of list.events.slice(index + 1, index + 1 + PICTURES)) {
      const picture = plainPicture(shownImage(next));
      if (picture) new Image().src = picture;
    }
  }, [list, index]);
  const asked = useRequest(
    async (signal) => (list || event?.eventId !== id ? null : { of: id, ...(await api.neighbours(event, queryOf(filters, Date.now()), signal)) }),
    [useCase, id, list, event?.eventId],
  );
  if (list) return { list, index, newer: list.events[index - 1]?.eventId, older: list.events[index + 1]?.eventId };
  // The answer before is that of another event.
  const found = asked.data?.of === id ? asked.data : null;
  return { list, index, newer: found?.newer, older: found?.older };
}
