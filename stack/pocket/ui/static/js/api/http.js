// One way to ask: Grafana's data source proxy path, a time limit, and the backend's own words when it
// refuses.

const TIMEOUT_MS = 30000;

export class ApiError extends Error {
  constructor(message, { status = 0, source = "" } = {}) {
    super(message);
    this.status = status;
    this.source = source;
  }
}

/** `/api/datasources/proxy/uid/<uid>/<path>?…`; undefined parameters are left out, lists repeat. */
export function proxied(uid, path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) query.append(name, item);
    }
  }
  const text = query.toString();
  return `/api/datasources/proxy/uid/${uid}/${path}${text ? `?${text}` : ""}`;
}

/**
 * The JSON answer, or an ApiError with the backend's text. `source` names the backend for the reader.
 * @param {string} url
 * @param {{ source: string, signal?: AbortSignal, method?: string, headers?: Record<string, string>,
 *   body?: string }} options
 */
export async function ask(url, { source, signal, method = "GET", headers = {}, body }) {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  let answer;
  try {
    answer = await fetch(url, {
      method,
      headers: { accept: "application/json", ...headers },
      body,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (limit.aborted) {
      throw new ApiError(`${source} did not answer within ${TIMEOUT_MS / 1000} s.`, { source });
    }
    throw new ApiError(`${source} cannot be reached. Is the stack running? Start it with \`make run\`.`, {
      source,
    });
  }
  const text = await answer.text();
  if (!answer.ok) throw new ApiError(reason(text, answer), { status: answer.status, source });
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(`${source} answered something that is not JSON: ${text.slice(0, 120)}`, {
      status: answer.status,
      source,
    });
  }
}

/** Prometheus and Loki say `error`, Grafana and Connect `message`, Tempo plain text. */
function reason(text, answer) {
  try {
    const body = JSON.parse(text);
    const said = body.error ?? body.message ?? body.detail;
    if (typeof said === "string" && said) return said;
  } catch {
    // Not JSON: the text itself is the reason.
  }
  const plain = text.trim();
  return plain && !plain.startsWith("<")
    ? plain.slice(0, 600)
    : `HTTP ${answer.status} ${answer.statusText}`.trim();
}

/**
 * What an error says.
 * @param {unknown} error
 */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));
export const isMissing = (error) => error instanceof ApiError && error.status === 404;
export const isAbort = (error) => error?.name === "AbortError";
