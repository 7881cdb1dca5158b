// What a page asks of the server: its answer, its error, and whether it is still under way.
import { useCallback, useEffect, useState } from "../vendor/preact-hooks.js";

/**
 * @template T
 * @typedef {object} Request
 * @property {T | undefined} data the last answer; it stays while a newer one is under way
 * @property {Error | undefined} error
 * @property {boolean} loading
 * @property {() => void} reload
 */

/**
 * Ask when the component appears and whenever `inputs` change; what is under way then is given up.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {unknown[]} inputs
 * @returns {Request<T>}
 */
export function useRequest(load, inputs) {
  const [state, setState] = useState(/** @type {{ data?: T, error?: Error, loading: boolean }} */ ({ loading: true }));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ data: before.data, loading: true }));
    load(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, loading: false }),
      (error) => abort.signal.aborted || setState((before) => ({ data: before.data, error, loading: false })),
    );
    return () => abort.abort();
  }, [...inputs, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { data: state.data, error: state.error, loading: state.loading, reload };
}
