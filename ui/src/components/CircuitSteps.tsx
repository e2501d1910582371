import {
  IconArrowNarrowRight,
  IconBolt,
  IconCircleCheck,
  IconHandStop,
  IconStethoscope,
} from "@tabler/icons-react";
import type { CircuitEvent } from "@/bindings";
import { FailureList } from "@/components/FailureList";
import { RelativeTime } from "@/components/RelativeTime";
import { type CircuitState, circuitState, circuitWord } from "@/lib/circuits";
import { plural } from "@/lib/numbers";
import classes from "./CircuitSteps.module.css";

const ICONS: Record<CircuitState, typeof IconBolt> = {
  closed: IconCircleCheck,
  open: IconBolt,
  half_open: IconStethoscope,
  held: IconHandStop,
};

type Props = {
  /** Newest first. */
  events: readonly CircuitEvent[];
  /** Whose step it was, where several circuits are listed together. */
  named?: boolean;
};

/** The steps of a circuit: from what to what, why, by whom, and the calls that tripped it. */
export function CircuitSteps({ events, named = false }: Props) {
  return (
    <ol className={classes.steps} aria-label="Steps of the circuit">
      {events.map((event) => {
        const state = circuitState(event.to);
        const Icon = ICONS[state];
        return (
          <li key={event.id} data-state={state} data-testid="circuit-step">
            <span className={classes.icon}>
              <Icon size={14} aria-hidden />
            </span>
            <div className={classes.body}>
              <p className={classes.line}>
                <span>
                  {named ? <span className="muted">{event.model} </span> : null}
                  {circuitWord(event.from)}
                  <IconArrowNarrowRight
                    size={14}
                    role="img"
                    aria-label="to"
                    style={{ verticalAlign: -2, margin: "0 4px" }}
                  />
                  <strong>{circuitWord(event.to)}</strong>
                </span>
                <RelativeTime value={event.at} />
              </p>
              <p className={classes.cause}>
                {event.cause === ""
                  ? ""
                  : `${event.cause.charAt(0).toUpperCase()}${event.cause.slice(1)}`}
                {event.actor === null ? "" : `, by ${event.actor}`}
              </p>
              {event.calls.length === 0 ? null : (
                <details className={classes.calls}>
                  <summary>{plural(event.calls.length, "call")} tripped it</summary>
                  <FailureList label="Calls that tripped it" failures={event.calls} />
                </details>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
