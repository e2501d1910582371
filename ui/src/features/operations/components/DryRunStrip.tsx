import { IconTestPipe } from "@tabler/icons-react";
import { Money } from "@/components/Money";
import type { DryRun } from "../useDryRun";
import { targetName } from "../words";
import classes from "./DryRunPanel.module.css";

type Props = { dryRun: DryRun; onShow: () => void };

/** The result in one line, in sight while the draft above is edited. */
export function DryRunStrip({ dryRun, onShow }: Props) {
  const found = dryRun.result.data;
  if (!dryRun.opened || !dryRun.asked || !found) return null;
  const chosen = found.decision.candidates.find((candidate) => candidate.verdict === "chosen");
  return (
    <div className={classes.strip} data-testid="dry-run-strip">
      <IconTestPipe size={14} aria-hidden />
      <span className="ellipsis" role="status">
        <span className="muted">Dry run: </span>
        <strong>{chosen ? targetName(chosen) : "nobody could answer"}</strong>
        {chosen ? (
          <span className="muted">
            , at most <Money value={found.estimate} absent="unknown" />
            {found.decision.rule === null ? "" : `, by the rule “${found.decision.rule}”`}
          </span>
        ) : null}
      </span>
      <button type="button" className={classes.fold} onClick={onShow}>
        Show
      </button>
    </div>
  );
}
