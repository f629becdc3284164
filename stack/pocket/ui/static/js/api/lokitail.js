// New log lines as they arrive: over Loki's WebSocket, by asking again where a proxy lets none through, and
// again and again while nobody answers.

import { ApiError, isAbort, messageOf } from "./http.js";
import { labels, lines as ask, pushed, tailUrl } from "./loki.js";

const ASK_MS = 2000;
const LIMIT = 500;
const WAITS_MS = [500, 1000, 2000, 4000, 8000];

/**
 * Follows a query from `since` (ms) on until the function it returns is called. `onLines(lines)` gets new
 * lines, newest first; some may be known already. `onState(state, words)`: "connecting", "live", "polling",
 * "waiting" or "refused".
 */
export function follow(query, since, { onLines, onState }) {
  const control = new AbortController();
  const { signal } = control;
  let last = since;
  let names;
  const take = (fresh) => {
    if (signal.aborted || !fresh.length) return;
    last = Math.max(last, fresh[0].t);
    onLines(fresh);
  };

  /** Whether Loki answers a plain question; a refusal ends it all. */
  async function poll(state) {
    try {
      take((await ask(query, { from: last, to: Date.now() + 1000 }, { limit: LIMIT, signal })).lines ?? []);
      if (state) onState(state);
      return true;
    } catch (error) {
      if (isAbort(error) || signal.aborted) return false;
      if (error instanceof ApiError && error.status === 400) {
        onState("refused", error.message);
        control.abort();
      } else onState("waiting", messageOf(error));
      return false;
    }
  }

  async function run() {
    let hasWorked = false;
    for (let failures = 0; !signal.aborted; failures += 1) {
      onState(hasWorked ? "waiting" : "connecting");
      names ??= await labelNames(last, signal);
      const hear = (message) =>
        take(pushed(message, names ?? new Set(Object.keys(message.streams?.[0]?.stream ?? {}))));
      if (
        await connected(() => tailUrl(query, last, LIMIT), {
          signal,
          hear,
          onOpen: () => onState("live"),
        })
      ) [hasWorked, failures] = [true, 0];
      else if (await poll() && !hasWorked) return asking(); // Loki is there and only the socket is not
      await pause(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)], signal);
    }
    return undefined;
  }

  async function asking() {
    while (!signal.aborted) {
      await poll("polling");
      await pause(ASK_MS, signal);
    }
  }

  run();
  return () => control.abort();
}

const HOUR_MS = 3600e3;

async function labelNames(at, signal) {
  try {
    return new Set(await labels({ from: at - HOUR_MS, to: Date.now() }, signal));
  } catch {
    return undefined; // Loki is away; asked again at the next attempt
  }
}

/** One connection, to its end; whether it came about. */
function connected(url, { signal, hear, onOpen }) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    let opened = false;
    const socket = new WebSocket(url());
    const end = () => socket.close();
    signal.addEventListener("abort", end, { once: true });
    socket.onopen = () => {
      opened = true;
      if (!signal.aborted) onOpen();
    };
    socket.onmessage = ({ data }) => hear(JSON.parse(data));
    socket.onclose = () => {
      signal.removeEventListener("abort", end);
      resolve(opened);
    };
    return undefined;
  });
}

/** @type {(ms: number, signal: AbortSignal) => Promise<void>} */
const pause = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
