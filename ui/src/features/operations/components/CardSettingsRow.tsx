import { NumberField } from "@/components/NumberField";
import type { CardSettings, DraftCard } from "../draft";
import { targetName, wholePercent } from "../words";
import classes from "./TargetCard.module.css";

type Props = {
  card: DraftCard;
  index: number;
  weighted: boolean;
  /** The part of the traffic its share comes to, 0..1. */
  realShare: number | undefined;
  problemAt: (field: string) => string | undefined;
  onChange: (change: Partial<CardSettings>) => void;
};

/** How long a target may take, how much it may write, and its share where shares count. */
export function CardSettingsRow(props: Props) {
  const { card, index, weighted, realShare, problemAt, onChange } = props;
  const name = targetName(card);
  const place = index + 1;
  const problems = ["timeout_ms", "max_output", "weight"].flatMap(
    (part) => problemAt(`targets[${index}].${part}`) ?? [],
  );
  const errorId = `route-card-${place}-problem`;
  return (
    <div className={classes.settings}>
      <NumberField
        inline
        label="Timeout"
        aria-label={`Timeout of ${name}, in seconds`}
        value={card.timeout_ms}
        per={1000}
        unit="s"
        placeholder="usual"
        width={74}
        onChange={(timeout_ms) => onChange({ timeout_ms })}
        error={problemAt(`targets[${index}].timeout_ms`)}
        errorId={errorId}
        data-testid={`route-timeout-${place}`}
      />
      <NumberField
        inline
        label="Max tokens"
        aria-label={`Most tokens of an answer of ${name}`}
        value={card.max_output}
        placeholder="as asked"
        width={84}
        onChange={(max_output) => onChange({ max_output })}
        error={problemAt(`targets[${index}].max_output`)}
        errorId={errorId}
        data-testid={`route-max-output-${place}`}
      />
      {weighted ? (
        <NumberField
          inline
          label="Share"
          aria-label={`Share of ${name}`}
          value={card.weight}
          width={96}
          unit={realShare === undefined ? "" : wholePercent(realShare)}
          onChange={(weight) => onChange({ weight: weight ?? 0 })}
          error={problemAt(`targets[${index}].weight`)}
          errorId={errorId}
          data-testid={`route-weight-${place}`}
        />
      ) : null}
      {problems.length === 0 ? null : (
        <p id={errorId} className={classes.problem}>
          {problems.join(" ")}
        </p>
      )}
    </div>
  );
}
