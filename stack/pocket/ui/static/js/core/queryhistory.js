// What the browser remembers between visits: query histories. Storage may be full or forbidden; then nothing
// is kept.

const LENGTH = 15;

/**
 * @param {string} kind
 * @returns {string[]} newest first
 */
export function history(kind) {
  try {
    const list = JSON.parse(localStorage.getItem(`history.${kind}`) ?? "[]");
    return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
  } catch {
    return [];
  }
}

/**
 * @param {string} kind
 * @param {string} query
 */
export function remember(kind, query) {
  if (!query) return;
  const list = [query, ...history(kind).filter((item) => item !== query)].slice(0, LENGTH);
  try {
    localStorage.setItem(`history.${kind}`, JSON.stringify(list));
  } catch {
    // A history is a convenience.
  }
}
