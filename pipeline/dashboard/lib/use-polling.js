// Asks again every few seconds while somebody looks: not in a hidden tab, and never twice at once.
import { useRequest } from "./use-request.js";
import { useEffect } from "../vendor/preact-hooks.js";

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load @param {unknown[]} inputs @param {number} everyMs
 * @returns {import("./use-request.js").Request<T>}
 */
export function usePolling(load, inputs, everyMs) {
  const request = useRequest(load, inputs);
  const { loading, reload } = request;
  useEffect(() => {
    if (loading) return;
    let timer = setTimeout(reload, everyMs);
    const shown = () => {
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(reload, 0);
    };
    if (document.hidden) clearTimeout(timer);
    document.addEventListener("visibilitychange", shown);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
    };
  }, [loading, reload, everyMs]);
  return request;
}
