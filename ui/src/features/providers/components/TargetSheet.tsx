import { Button } from "@mantine/core";
import { IconChevronLeft } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Provider, TargetHealth } from "@/bindings";
import { CircuitBand } from "@/charts/CircuitBand";
import { OutcomeStrip } from "@/charts/OutcomeStrip";
import { CircuitSteps } from "@/components/CircuitSteps";
import { Fact, Facts, FactSection } from "@/components/Facts";
import { FailureList } from "@/components/FailureList";
import { HealthBadge } from "@/components/HealthBadge";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { useNow } from "@/lib/clock";
import { formatCount } from "@/lib/numbers";
import { healthSentence, isHeld } from "../health";
import { verifyProviderMutationOptions } from "../mutations";
import { type Asked, CircuitDialog } from "./CircuitDialog";
import { CheckOutcome } from "./CheckOutcome";
import { WindowFigures } from "./HealthSection";
import classes from "./health.module.css";
import parts from "./parts.module.css";

const HOUR_MS = 3_600_000;

type Props = {
  provider: Provider;
  target: TargetHealth;
  onBack: () => void;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** One target: how it does, how its circuit went, why calls failed, and what can be done. */
export function TargetSheet({ provider, target, onBack, onClose, onPrevious, onNext }: Props) {
  const [asked, setAsked] = useState<Asked>();
  const verify = useMutation(verifyProviderMutationOptions());
  const now = useNow();
  const name = `${target.provider}/${target.model}`;
  const ask = (action: Asked["action"]) =>
    setAsked({ action, provider: target.provider, model: target.model, held: isHeld(target) });
  return (
    <Sheet
      label={`Target ${name}`}
      title={
        <span className={parts.title}>
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            leftSection={<IconChevronLeft size={14} aria-hidden />}
            onClick={onBack}
            data-testid="target-back"
          >
            {target.provider}
          </Button>
          <span className="ellipsis">{target.model}</span>
          <HealthBadge state={target.state} boxed />
        </span>
      }
      actions={<SheetSteps what="target" onPrevious={onPrevious} onNext={onNext} />}
      onClose={onClose}
      data-testid="target-detail"
    >
      <div className={parts.sections}>
        <div className={classes.stack}>
          <p>{healthSentence(target)}</p>
          <div className={classes.actions}>
            <Button
              variant="default"
              size="compact-sm"
              disabled={verify.isPending || provider.credential.state === "missing"}
              onClick={() => verify.mutate(target.provider)}
              title="Asks for the list of models, which is free"
              data-testid="target-probe"
            >
              Probe now
            </Button>
            {isHeld(target) ? null : (
              <Button
                variant="default"
                size="compact-sm"
                onClick={() => ask("hold")}
                data-testid="target-hold"
              >
                Hold open…
              </Button>
            )}
            <Button
              variant="default"
              size="compact-sm"
              onClick={() => ask("reset")}
              data-testid="target-reset"
            >
              Reset…
            </Button>
          </div>
          {verify.isIdle ? null : (
            <div className={parts.outcome} data-testid="probe-outcome">
              <CheckOutcome
                check={verify.data ?? null}
                running={verify.isPending}
                error={verify.error}
              />
            </div>
          )}
        </div>
        <section aria-label="Last hour" className={classes.stack}>
          <OutcomeStrip label={name} minutes={target.strip} />
          <WindowFigures window={target.window} />
          <Facts>
            <Fact name="Rank">
              {target.rank === null
                ? "not called lately"
                : `No. ${formatCount(target.rank)} of all targets called lately`}
            </Fact>
            <Fact name="Calls in use">{formatCount(target.in_use)}</Fact>
            {target.until === null ? null : (
              <Fact name="Until">
                <RelativeTime value={target.until} format="clock" />
              </Fact>
            )}
          </Facts>
          <p className={parts.links}>
            <Link to="/logs" search={{ provider: target.provider, model: target.model }}>
              Its requests
            </Link>
            <Link to="/providers" search={{ view: "failovers", from: target.provider }}>
              Failovers from {target.provider}
            </Link>
          </p>
        </section>
        <FactSection title="Circuit">
          <div className={classes.stack}>
            <CircuitBand
              label={`Circuit of ${name} in the last hour`}
              events={target.events}
              fromMs={now - HOUR_MS}
              toMs={now}
              endLabel="now"
            />
            {target.events.length === 0 ? (
              <p className="muted">
                It has not moved: nothing tripped it, and nobody held it open.
              </p>
            ) : (
              <CircuitSteps events={target.events} />
            )}
          </div>
        </FactSection>
        <FactSection title="Last failures">
          {target.failures.length === 0 ? (
            <p className="muted">
              No call has failed since its circuit was reset or Signalbox began to keep them.
            </p>
          ) : (
            <FailureList label={`Last failures of ${name}`} failures={target.failures} />
          )}
        </FactSection>
      </div>
      <CircuitDialog asked={asked} onClose={() => setAsked(undefined)} />
    </Sheet>
  );
}
