// From a panel to the view where its query can be changed.

import * as router from "../core/router.js";
import { frame, interpolate, sourceOf } from "./targets.js";

/** A function that gives the link (the macros depend on the range at that time), or undefined. */
export function exploreLink(panel, context) {
  const target = panel.targets?.find(({ hide }) => !hide);
  if (!target) return undefined;
  const source = sourceOf(panel, target);
  const text = (query) => interpolate(query, frame(panel, context.range(), 900).macros);
  if (target.queryType === "serviceMap" || panel.type === "nodeGraph") {
    return () => router.href(["service-map"]);
  }
  if (source === "prometheus") return () => router.href(["metrics"], { q: text(target.expr) });
  if (source === "loki") {
    return () =>
      router.href(["logs"], { q: panel.type === "logs" ? text(target.expr) : streamsOf(text(target.expr)) });
  }
  if (source === "tempo") return () => router.href(["traces"], { q: text(target.query) });
  if (source !== "pyroscope") return undefined;
  const service = /service_name="([^"]+)"/.exec(target.labelSelector ?? "")?.[1];
  return () => router.href(["profiles"], { service, type: target.profileTypeId });
}

/** The lines a metric query counts: its selector and pipeline, without the range and what is around it. */
function streamsOf(query) {
  const match = /\{[^}]*\}[^[]*/.exec(query);
  return match ? match[0].trim().replace(/\)+$/, "") : query;
}
