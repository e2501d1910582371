import { IconAlertTriangle, IconCalculator } from "@tabler/icons-react";
import type { Impact, ImpactShare } from "@/bindings";
import { Duration } from "@/components/Duration";
import { Money } from "@/components/Money";
import { StatusBadge } from "@/components/StatusBadge";
import { formatCount, plural } from "@/lib/numbers";
import { targetName, wholePercent } from "../words";
import classes from "./ImpactPanel.module.css";

/** What the draft would have meant for the last 24 hours. Always an estimate, and always said to be one. */
export function ImpactPanel({ impact }: { impact: Impact }) {
  return (
    <section className={classes.impact} aria-label="Impact" data-testid="preview-impact">
      <h3>
        The last 24 hours again{" "}
        <StatusBadge tone="info" icon={IconCalculator}>
          Estimate
        </StatusBadge>
      </h3>
      <p className={classes.text}>{impact.text}</p>
      {impact.refused > 0 ? (
        <p className={classes.refused} role="alert">
          <IconAlertTriangle size={16} aria-hidden />
          <span>
            {plural(impact.refused, "request")} of the sample could not have been answered by any
            target of this draft.
          </span>
        </p>
      ) : null}
      <dl className={classes.figures}>
        <div>
          <dt>Cost a day</dt>
          <dd>
            <Money value={impact.cost_before} format="total" />
            <span className="muted"> → </span>
            <Money value={impact.cost_after} format="total" absent="not known" />
          </dd>
        </div>
        <div>
          <dt>p95 latency</dt>
          <dd>
            <Duration ms={impact.latency_ms_p95_before} />
            <span className="muted"> → </span>
            <Duration ms={impact.latency_ms_p95_after} absent="not known" />
          </dd>
        </div>
        <div>
          <dt>Elsewhere first</dt>
          <dd className="tabular">
            {formatCount(impact.moved)} <span className="muted">of</span>{" "}
            {formatCount(impact.sampled)}
          </dd>
        </div>
      </dl>
      <Shares shares={impact.shares} />
      <p className="muted caption">
        {impact.sampled === impact.requests
          ? `All ${plural(impact.requests, "request")} decided again`
          : `${formatCount(impact.sampled)} of ${plural(impact.requests, "request")} decided again`}
        , at the first choice of the draft, with the prices of now and every target healthy.
      </p>
    </section>
  );
}

/** Who answered how much, before and after: bars for the eye and numbers for reading in one table. */
function Shares({ shares }: { shares: readonly ImpactShare[] }) {
  if (shares.length === 0) return null;
  const sorted = shares.toSorted(
    (a, b) => Math.max(b.before ?? 0, b.after ?? 0) - Math.max(a.before ?? 0, a.after ?? 0),
  );
  return (
    <table className={classes.shares} aria-label="Shares of the requests, before and after">
      <thead>
        <tr>
          <th scope="col">Target</th>
          <th scope="col">
            <span className={classes.legend} aria-hidden>
              <span className={classes.swatch} data-when="before" /> now
              <span className={classes.swatch} data-when="after" /> draft
            </span>
          </th>
          <th scope="col">Now</th>
          <th scope="col">Draft</th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((share) => (
          <tr key={targetName(share)}>
            <th scope="row">{targetName(share)}</th>
            <td aria-hidden>
              <Bar when="before" share={share.before} />
              <Bar when="after" share={share.after} />
            </td>
            <td>{share.before === null ? "–" : wholePercent(share.before)}</td>
            <td>{share.after === null ? "–" : wholePercent(share.after)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Bar({ when, share }: { when: "before" | "after"; share: number | null }) {
  return (
    <span className={classes.track}>
      <span
        className={classes.bar}
        data-when={when}
        style={{ width: `${Math.min((share ?? 0) * 100, 100)}%` }}
      />
    </span>
  );
}
