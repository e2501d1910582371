import { IconInfoCircle } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Provider, ProviderHealth } from "@/bindings";
import { Duration } from "@/components/Duration";
import { Money } from "@/components/Money";
import { HealthBadge } from "@/components/HealthBadge";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { formatCount, formatPercent } from "@/lib/numbers";
import { verifyProviderMutationOptions } from "../mutations";
import { shownHealth } from "../health";
import { errorRate, providerState } from "../model";
import { ConnectionSection } from "./ConnectionSection";
import { HealthSection } from "./HealthSection";
import { ModelsSection } from "./ModelsSection";
import { ProviderStateBadge } from "./ProviderStateBadge";
import { RemoveProvider } from "./RemoveProvider";
import classes from "./parts.module.css";

type Props = {
  provider: Provider;
  health: ProviderHealth | undefined;
  onOpenTarget: (model: string) => void;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** Everything about one provider: whether it works, what it costs, and its models. */
export function ProviderSheet(props: Props) {
  const { provider, health, onOpenTarget, onClose, onPrevious, onNext } = props;
  const state = shownHealth(provider, health);
  const verify = useMutation(verifyProviderMutationOptions());
  return (
    <Sheet
      label={`Provider ${provider.name}`}
      title={
        <span className={classes.title}>
          <span className="ellipsis">{provider.name}</span>
          {state && health ? (
            <HealthBadge state={state} title={health.text} boxed />
          ) : (
            <ProviderStateBadge provider={provider} boxed />
          )}
        </span>
      }
      actions={<SheetSteps what="provider" onPrevious={onPrevious} onNext={onNext} />}
      onClose={onClose}
      data-testid="provider-detail"
    >
      <div className={classes.sections}>
        <Notice provider={provider} />
        <Figures provider={provider} />
        {health && health.state !== "off" ? (
          <HealthSection health={health} onOpenTarget={onOpenTarget} />
        ) : null}
        <ConnectionSection provider={provider} verify={verify} />
        <ModelsSection provider={provider} />
        {provider.builtin ? null : (
          <section className={classes.section}>
            <h3>Remove</h3>
            <RemoveProvider name={provider.name} onRemoved={onClose} />
          </section>
        )}
      </div>
    </Sheet>
  );
}

/** What stands in the way, or what is special about it, in a sentence. */
function Notice({ provider }: { provider: Provider }) {
  const text = noticeText(provider);
  if (text === undefined) return null;
  return (
    <p className={classes.notice}>
      <IconInfoCircle size={16} aria-hidden />
      {text}
    </p>
  );
}

function noticeText(provider: Provider): string | undefined {
  const state = providerState(provider);
  if (state === "off") return "Switched off: routes skip it and go on to their next target.";
  if (provider.builtin)
    return "Part of Signalbox: it answers at no cost until a provider is connected. It needs no key and cannot be removed.";
  if (state === "no_credential")
    return "Routes skip it until it has a key. What it costs is known beforehand: see its prices below.";
  if (state === "not_ready")
    return "This version cannot call providers of this kind yet. Its models and prices are kept for when it can.";
  return undefined;
}

function Figures({ provider: { name, last_24h: traffic } }: { provider: Provider }) {
  const rate = errorRate(traffic);
  if (traffic.requests === 0) return null;
  return (
    <section aria-label="Last 24 hours">
      <dl className={classes.figures}>
        <div>
          <dt>Spend 24 h</dt>
          <dd>
            <Money value={traffic.spend} format="total" />
          </dd>
        </div>
        <div>
          <dt>Requests</dt>
          <dd className="tabular">{formatCount(traffic.requests)}</dd>
        </div>
        <div>
          <dt>Error rate</dt>
          <dd className="tabular">{rate === undefined ? "–" : formatPercent(rate)}</dd>
        </div>
        <div>
          <dt>p95 latency</dt>
          <dd>
            <Duration ms={traffic.latency_ms_p95} />
          </dd>
        </div>
      </dl>
      <p className={classes.links}>
        <Link to="/logs" search={{ provider: name, range: "24h" }}>
          Its requests
        </Link>
        {traffic.failed > 0 ? (
          <Link to="/logs" search={{ provider: name, range: "24h", status: "failed" }}>
            Its {formatCount(traffic.failed)} failed
          </Link>
        ) : null}
      </p>
    </section>
  );
}
