import { IconAlertTriangle } from "@tabler/icons-react";
import type { BudgetPreview, BudgetReplay } from "@/bindings";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { formatCount, plural } from "@/lib/numbers";
import classes from "../budgets.module.css";

type Props = {
  preview: BudgetPreview | undefined;
  error: Error | null;
  changed: boolean;
  faulty: boolean;
};

/** What the draft would do: in sentences, by how much it can be passed, and what it would have refused before. */
export function PreviewBody({ preview, error, changed, faulty }: Props) {
  return (
    <section className={classes.preview} aria-label="Preview" data-testid="budget-preview">
      {error ? (
        <p className={classes.problem} role="alert">
          Nothing was changed. {error.message}
        </p>
      ) : null}
      {preview && changed && !faulty ? (
        <Answer preview={preview} />
      ) : error ? null : (
        <p className="muted">
          {faulty
            ? "Some fields cannot be read as they are typed."
            : "What would change stands here before it is applied."}
        </p>
      )}
    </section>
  );
}

function Answer({ preview }: { preview: BudgetPreview }) {
  return (
    <>
      <ul className={classes.sentences} data-testid="budget-preview-sentences">
        {preview.sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <p data-testid="budget-preview-promise">{preview.promise}</p>
      {preview.last_period ? <Replay replay={preview.last_period} /> : null}
      {preview.warnings.map((warning) => (
        <p key={warning} className={classes.warning}>
          <IconAlertTriangle size={14} aria-hidden />
          <span>{warning}</span>
        </p>
      ))}
    </>
  );
}

/** What it would have refused in the last whole period. */
function Replay({ replay }: { replay: BudgetReplay }) {
  const period = (
    <>
      <RelativeTime value={replay.from} format="date" /> –{" "}
      <RelativeTime value={replay.to} format="date" />
    </>
  );
  if (replay.requests === 0)
    return <p className="muted">There was no request in the last period ({period}).</p>;
  if (replay.refused === 0)
    return (
      <p data-testid="budget-replay">
        It would have refused none of the {formatCount(replay.requests)} requests of the last period
        ({period}), which cost <Money value={replay.spent} format="total" />.
      </p>
    );
  return (
    <p data-testid="budget-replay">
      In the last period ({period}) it would have stopped{" "}
      <strong>
        {formatCount(replay.refused)} of {plural(replay.requests, "request")}
      </strong>{" "}
      worth <Money value={replay.refused_cost} format="total" />
      {replay.first_refused_at === null ? null : (
        <>
          , the first at <RelativeTime value={replay.first_refused_at} format="date" />
        </>
      )}
      .
    </p>
  );
}
