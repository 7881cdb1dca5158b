// Which events are selected: one by one, a range with Shift, with the keyboard.
import { useCallback, useState } from "../vendor/preact-hooks.js";

/** @typedef {import("./api.js").VisionEvent} VisionEvent */

/** @param {VisionEvent[]} events in the order that they are shown */
export function useSelection(events) {
  const [selection, setSelection] = useState(/** @type {Set<string>} */ (new Set()));
  const [anchor, setAnchor] = useState("");
  const select = (/** @type {VisionEvent} */ event, /** @type {boolean} */ range) => {
    const changed = new Set(selection);
    const from = range ? events.findIndex(({ eventId }) => eventId === anchor) : -1;
    if (from >= 0) {
      const to = events.indexOf(event);
      for (const { eventId } of events.slice(Math.min(from, to), Math.max(from, to) + 1)) changed.add(eventId);
    } else if (!changed.delete(event.eventId)) changed.add(event.eventId);
    setAnchor(event.eventId);
    setSelection(changed);
  };
  const clear = useCallback(() => setSelection(new Set()), []);
  const selectAll = () => setSelection(new Set(events.map(({ eventId }) => eventId)));
  return { selection, select, clear, selectAll };
}
