// New events as they are stored, while `on`.
import { useEffect, useState } from "../vendor/preact-hooks.js";
import { api } from "./api.js";

/**
 * @param {import("./event-list.js").EventList | null} list
 * @param {boolean} on
 * @returns {"off" | "connecting" | "live" | "lost"}
 */
export function useLive(list, on) {
  const [state, setState] = useState(/** @type {"off" | "connecting" | "live" | "lost"} */ ("off"));
  useEffect(() => {
    if (!on || !list) return setState("off");
    setState("connecting");
    const source = new EventSource(api.liveAddress(list.query));
    source.onopen = () => setState("live");
    // The browser tries again by itself, unless the server refused.
    source.onerror = () => setState(source.readyState === EventSource.CLOSED ? "lost" : "connecting");
    source.onmessage = (message) => {
      const { events } = JSON.parse(message.data);
      list.add(events, true);
      list.readFeedback(events);
    };
    return () => source.close();
  }, [list, on]);
  return state;
}
