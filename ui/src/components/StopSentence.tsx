import type { TrafficStop } from "@/bindings";
import { RelativeTime } from "./RelativeTime";

const WAYS: Readonly<Record<string, string>> = {
  window: "in the window",
  cli: "on the command line",
  tray: "in the tray",
};

/** Who stopped all AI traffic, when, by which way and why. */
export function StopSentence({ stop }: { stop: TrafficStop }) {
  return (
    <span data-testid="stop-sentence">
      Stopped <RelativeTime value={stop.at} /> by <strong>{stop.by}</strong>{" "}
      {WAYS[stop.source] ?? `(${stop.source})`}
      {stop.reason ? <>: {stop.reason}</> : null}
    </span>
  );
}
