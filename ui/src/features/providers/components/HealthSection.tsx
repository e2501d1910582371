import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { OutcomeStrip } from "@/charts/OutcomeStrip";
import type { HealthWindow, ProviderHealth } from "@/bindings";
import { Duration } from "@/components/Duration";
import { Fact, Facts } from "@/components/Facts";
import { formatCount } from "@/lib/numbers";
import { healthSentence } from "../health";
import { CircuitDialog, type Asked } from "./CircuitDialog";
import { Headroom } from "./Headroom";
import { Success, TargetLines } from "./TargetLines";
import classes from "./health.module.css";
import parts from "./parts.module.css";

type Props = {
  health: ProviderHealth;
  onOpenTarget: (model: string) => void;
};

/** How a provider does: its last hour, its targets from the best to the worst, and what can be done about it. */
export function HealthSection({ health, onOpenTarget }: Props) {
  const [asked, setAsked] = useState<Asked>();
  const { provider } = health;
  const ask = (action: Asked["action"]) =>
    setAsked({ action, provider, model: null, held: health.state === "held" });
  return (
    <section className={parts.section} data-testid="provider-health">
      <h3>
        Health
        <span className={parts.count}>last {formatCount(health.window.minutes)} min</span>
      </h3>
      <div className={classes.stack}>
        <p>{healthSentence(health)}</p>
        <OutcomeStrip label={provider} minutes={health.strip} />
        <WindowFigures window={health.window} />
        <Facts>
          <Fact name="Calls in use">{inUse(health)}</Fact>
          <Fact name="Rate limit">
            {health.headroom ? (
              <Headroom headroom={health.headroom} />
            ) : (
              <span className="muted">The provider has not said what is left</span>
            )}
          </Fact>
        </Facts>
        {health.targets.length === 0 ? null : (
          <TargetLines
            label={`Targets of ${provider}, best first`}
            targets={health.targets}
            onOpen={onOpenTarget}
          />
        )}
        <div className={classes.actions}>
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => ask("hold")}
            data-testid="provider-hold"
          >
            Hold all open
          </Button>
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => ask("reset")}
            data-testid="provider-reset"
          >
            Reset all
          </Button>
          <Link to="/providers" search={{ view: "failovers", from: provider }}>
            Failovers from it
          </Link>
        </div>
      </div>
      <CircuitDialog asked={asked} onClose={() => setAsked(undefined)} />
    </section>
  );
}

/** The figures of the sliding window. */
export function WindowFigures({ window }: { window: HealthWindow }) {
  return (
    <dl className={parts.figures} aria-label={`Last ${window.minutes} minutes`}>
      <div>
        <dt>Success</dt>
        <dd
          title={`${formatCount(window.succeeded)} answered, ${formatCount(window.failed)} failed`}
        >
          <Success rate={window.success_rate} />
        </dd>
      </div>
      <div>
        <dt>p50</dt>
        <dd>
          <Duration ms={window.latency_ms_p50} />
        </dd>
      </div>
      <div>
        <dt>p95</dt>
        <dd>
          <Duration ms={window.latency_ms_p95} />
        </dd>
      </div>
      <div>
        <dt>First token p50</dt>
        <dd>
          <Duration ms={window.first_token_ms_p50} />
        </dd>
      </div>
    </dl>
  );
}

export function inUse({
  in_use,
  max_concurrent,
}: Pick<ProviderHealth, "in_use" | "max_concurrent">) {
  return max_concurrent === null
    ? `${formatCount(in_use)}, no limit set`
    : `${formatCount(in_use)} of ${formatCount(max_concurrent)}`;
}
