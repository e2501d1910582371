import type { HealthMinute } from "@/bindings";

export type StripBar = {
  at: string;
  succeeded: number;
  failed: number;
  /** Share of the minute's calls that failed, 0..1; undefined in a minute without calls. */
  failedShare: number | undefined;
};

export type PreparedStrip = { bars: StripBar[]; succeeded: number; failed: number };

/** Each minute as a bar of shares: a quiet minute with one failure is as bad as it was. */
export function prepareStrip(minutes: readonly HealthMinute[]): PreparedStrip {
  const bars = minutes.map(({ at, succeeded, failed }) => {
    const calls = succeeded + failed;
    return { at, succeeded, failed, failedShare: calls === 0 ? undefined : failed / calls };
  });
  return {
    bars,
    succeeded: bars.reduce((sum, bar) => sum + bar.succeeded, 0),
    failed: bars.reduce((sum, bar) => sum + bar.failed, 0),
  };
}
