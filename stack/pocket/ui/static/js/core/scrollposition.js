// Where on the page one was: back and forward return to the place, a new view begins at its top.

/** @type {Map<number, number>} */
const places = new Map(); // number of the history entry → how far it was scrolled
const GIVE_UP_MS = 4000;
let here = 0;
let newest = 0;
/** @type {(() => void) | undefined} */
let pending;

history.scrollRestoration = "manual"; // the browser would try before the view has its height
addEventListener("scroll", () => pending || places.set(here, scrollY), { passive: true });
for (const sign of ["wheel", "touchstart", "keydown", "pointerdown"]) {
  addEventListener(sign, () => pending?.(), { passive: true });
}

/** To be called once the hash has changed; → the place to return to, 0 for an entry that is new. */
export function arrive() {
  const known = history.state?.entry;
  here = known ?? (newest += 1);
  newest = Math.max(newest, here);
  if (known === undefined) history.replaceState({ ...history.state, entry: here }, "");
  return (known !== undefined && places.get(here)) || 0;
}

/**
 * Scrolls to `top` as soon as the view is tall enough, unless the reader moves first.
 * @param {Element} view
 * @param {number} top pixels
 */
export function settle(view, top) {
  pending?.();
  if (!top) return scrollTo(0, 0);
  const watcher = new ResizeObserver(attempt);
  const timer = setTimeout(done, GIVE_UP_MS);
  function done() {
    watcher.disconnect();
    clearTimeout(timer);
    pending = undefined;
  }
  function attempt() {
    if (document.documentElement.scrollHeight < top + innerHeight) return;
    scrollTo(0, top);
    done();
  }
  pending = done;
  watcher.observe(view);
  return undefined;
}
