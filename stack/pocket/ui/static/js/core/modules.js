// What is fetched when it is first wanted: a view's module. The connection may be away just then.

const failures = new Map(); // path → how often it could not be loaded

/** `isRepeated`: not the first time, so that the module itself had a new URL. */
export class ModuleError extends Error {
  /**
   * @param {string} path
   * @param {Error} cause
   * @param {boolean} isRepeated
   */
  constructor(path, cause, isRepeated) {
    super(cause.message, { cause });
    this.path = path;
    this.isRepeated = isRepeated;
  }
}

/**
 * The module. An import that failed stays failed for its URL (the page's module map keeps it), so the next
 * has a new one.
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function load(path) {
  const failed = failures.get(path) ?? 0;
  try {
    return await import(failed ? `${path}?again=${failed}` : path);
  } catch (error) {
    failures.set(path, failed + 1);
    throw new ModuleError(path, error instanceof Error ? error : new Error(String(error)), failed > 0);
  }
}

/**
 * Whether the server hands the file out, whatever the module map says.
 * @param {string} path
 */
export async function isThere(path) {
  try {
    return (await fetch(path, { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
