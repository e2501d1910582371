import { IconArrowRight, IconCircleX } from "@tabler/icons-react";
import { Fragment, useState } from "react";
import type { Simulation } from "@/bindings";
import { DecisionTable } from "@/components/DecisionTable";
import { Money } from "@/components/Money";
import { targetName } from "../words";
import classes from "./DryRunPanel.module.css";

type Props = { simulation: Simulation; waiting: boolean };

/** Where the request would go: the path, why, what it may cost, and what the rules saw. */
export function DryRunResult({ simulation, waiting }: Props) {
  const { decision, estimate, micros, problems, features } = simulation;
  const [shown, setShown] = useState(false);
  const path = decision.candidates
    .filter((candidate) => candidate.order !== null)
    .toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
  return (
    <section
      className={classes.result}
      aria-label="Result of the dry run"
      aria-busy={waiting}
      data-testid="dry-run-result"
    >
      {problems.length > 0 ? (
        <p className={classes.problem} data-testid="dry-run-problem">
          <IconCircleX size={16} aria-hidden />
          <span>
            The draft has faults, so this is only what can be read of it. {problems[0]?.message}
          </span>
        </p>
      ) : null}
      <p className={classes.path} data-testid="dry-run-path">
        {path.length === 0 ? (
          <strong>No target could take it: the client gets an error.</strong>
        ) : (
          path.map((candidate, index) => (
            <Fragment key={targetName(candidate)}>
              {index > 0 ? <IconArrowRight size={14} aria-label="then" /> : null}
              <span data-first={index === 0}>{targetName(candidate)}</span>
            </Fragment>
          ))
        )}
      </p>
      <p className="muted">{decision.summary}</p>
      <p className={classes.facts}>
        <span>
          Rule: <strong data-testid="dry-run-rule">{decision.rule ?? "none holds"}</strong>
        </span>
        <span>
          At most{" "}
          <strong>
            <Money value={estimate} absent="unknown, a price is missing" />
          </strong>
        </span>
        {micros === null ? null : (
          <span>
            Decided in <strong className="tabular">{Math.max(1, Math.round(micros))} µs</strong>
          </span>
        )}
      </p>
      {decision.candidates.length > 0 ? (
        <DecisionTable label="Targets of the dry run" candidates={decision.candidates} />
      ) : null}
      <button
        type="button"
        className={classes.fold}
        aria-expanded={shown}
        onClick={() => setShown(!shown)}
        data-testid="dry-run-features-toggle"
      >
        {shown ? "Hide what the rules saw" : "What the rules saw"}
      </button>
      {shown ? (
        <dl className={classes.features} data-testid="dry-run-features">
          {features.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
    </section>
  );
}
