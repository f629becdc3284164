// One load at a time: a new one ends the one before; what is shown stays until the answer is there.

import { isAbort } from "../api/http.js";

/**
 * `load(f)` calls `f(signal)`; errors go to `onError`. `stop()` ends what runs. `busy` is marked on an
 * element.
 */
export function loader(element, onError) {
  let control;
  return {
    async load(work) {
      control?.abort();
      const mine = (control = new AbortController());
      element.classList.add("busy");
      try {
        await work(mine.signal);
      } catch (error) {
        if (!isAbort(error) && !mine.signal.aborted) onError(error);
      }
      if (control === mine) element.classList.remove("busy");
    },
    stop: () => control?.abort(),
  };
}
