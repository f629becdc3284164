// The Grafana paths beside the data source proxy: dashboards, and SQL through its query endpoint.

import { ApiError, ask } from "./http.js";

const source = "The workshop UI";

export const dashboards = (signal) => ask("/api/search?type=dash-db", { source, signal });
export const dashboard = async (uid, signal) =>
  (await ask(`/api/dashboards/uid/${encodeURIComponent(uid)}`, { source, signal })).dashboard;
export const checklist = (signal) => ask("/api/workshop/checklist", { source, signal });
export const runCheck = (signal) =>
  ask("/api/workshop/check", { source, signal, method: "POST", headers: { "x-workshop-ui": "1" } });

/**
 * Frames of a PostgreSQL target as tables `{columns: [{name, type}], rows}`; an ApiError 404 where there is
 * none.
 */
export async function sql(target, { from, to }, signal) {
  const query = {
    ...target,
    datasource: { type: "grafana-postgresql-datasource", uid: "postgres" },
    refId: target.refId ?? "A",
  };
  const answer = await ask("/api/ds/query", {
    source: "PostgreSQL",
    signal,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ from: String(Math.floor(from)), to: String(Math.floor(to)), queries: [query] }),
  });
  const result = answer.results?.[query.refId] ?? {};
  if (result.error) throw new ApiError(result.error, { status: result.status, source: "PostgreSQL" });
  return (result.frames ?? []).map(({ schema, data }) => ({
    columns: schema.fields.map(({ name, type }) => ({ name, type })),
    rows: (data.values[0] ?? []).map((_, row) => data.values.map((column) => column[row])),
  }));
}
