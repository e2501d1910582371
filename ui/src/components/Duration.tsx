import { formatDuration } from "@/lib/duration";
import { formatCount } from "@/lib/numbers";

type Props = { ms: number | null; absent?: string };

/** How long something took, in the unit a person would use; exact milliseconds on hover. */
export function Duration({ ms, absent = "–" }: Props) {
  if (ms === null) return <span className="muted">{absent}</span>;
  return (
    <span className="tabular" title={`${formatCount(Math.round(ms * 1000) / 1000)} ms`}>
      {formatDuration(ms)}
    </span>
  );
}
