import { IconRuler2 } from "@tabler/icons-react";
import type { DecisionView } from "@/bindings";
import { DecisionTable } from "@/components/DecisionTable";
import { strategyWords } from "@/lib/strategies";
import classes from "./RequestSheet.module.css";

type Props = { decision: DecisionView };

/** Which targets were considered, in which order, and why. */
export function DecisionSection({ decision }: Props) {
  const { strategy, rule, summary, candidates } = decision;
  return (
    <section className={classes.section} data-testid="decision">
      <h3>
        Why this model?{" "}
        <span className="muted" title={strategyWords(strategy).says}>
          {strategyWords(strategy).word.toLowerCase()}
        </span>
      </h3>
      <p>{summary}</p>
      {rule === null ? null : (
        <p className={classes.rule} data-testid="decision-rule">
          <IconRuler2 size={14} aria-hidden />
          <span>
            The rule <strong>{rule}</strong> matched; it came before the strategy.
          </span>
        </p>
      )}
      {candidates.length === 0 ? null : (
        <DecisionTable label="Targets that were considered" candidates={candidates} />
      )}
    </section>
  );
}
