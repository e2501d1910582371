import { IconKey, IconStethoscope } from "@tabler/icons-react";
import type { Provider } from "@/bindings";
import { Duration } from "@/components/Duration";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { formatCompact, formatCount, formatPercent, plural } from "@/lib/numbers";
import { checkWord, credentialWords, errorRate, kindLabel } from "../model";
import classes from "./ProviderCard.module.css";
import { ProviderStateBadge } from "./ProviderStateBadge";

/** From here on the exact count is in the tooltip only. */
const COMPACT_FROM = 100_000;

type Props = {
  provider: Provider;
  /** With the figures of the last 24 hours. */
  figures: boolean;
  open: boolean;
  onOpen: () => void;
};

/** One provider at a glance. The whole card opens the detail; its button is the name. */
export function ProviderCard({ provider, figures, open, onOpen }: Props) {
  return (
    <li
      className={classes.card}
      data-open={open}
      data-testid={`provider-card-${provider.name}`}
      data-provider={provider.name}
    >
      <div className={classes.head}>
        <h3 className="ellipsis">
          <button
            type="button"
            className={classes.name}
            aria-expanded={open}
            onClick={onOpen}
            data-card
          >
            {provider.name}
          </button>
        </h3>
        <ProviderStateBadge provider={provider} />
      </div>
      <p className={`${classes.line} ellipsis`}>
        {provider.builtin
          ? "Answers at no cost until a provider is connected"
          : `${kindLabel(provider.kind)} · ${plural(provider.models.length, "model")}`}
      </p>
      <p className={`${classes.line} mono ellipsis`} title={provider.base_url}>
        {provider.base_url}
      </p>
      {figures ? <Figures provider={provider} /> : null}
      <div className={classes.foot}>
        <span className="ellipsis">
          <IconKey size={14} aria-hidden />
          {credentialWords(provider.credential)}
          {provider.credential.set_at ? (
            <>
              , set <RelativeTime value={provider.credential.set_at} format="clock" />
            </>
          ) : null}
        </span>
        {figures || provider.last_check ? (
          <span className="ellipsis">
            <IconStethoscope size={14} aria-hidden />
            <LastCheck provider={provider} />
          </span>
        ) : null}
      </div>
    </li>
  );
}

function Figures({ provider }: { provider: Provider }) {
  const { last_24h: traffic } = provider;
  const rate = errorRate(traffic);
  return (
    <dl className={classes.figures} aria-label="Last 24 hours">
      <div>
        <dt>Spend 24 h</dt>
        <dd>
          <Money value={traffic.spend} format="total" />
        </dd>
      </div>
      <div>
        <dt>Requests</dt>
        <dd title={formatCount(traffic.requests)}>
          {traffic.requests < COMPACT_FROM
            ? formatCount(traffic.requests)
            : formatCompact(traffic.requests)}
        </dd>
      </div>
      <div>
        <dt>Errors</dt>
        <dd data-bad={rate !== undefined && rate >= 0.05}>
          {rate === undefined ? <span className="muted">–</span> : formatPercent(rate)}
        </dd>
      </div>
      <div>
        <dt>p95</dt>
        <dd>
          <Duration ms={traffic.latency_ms_p95} />
        </dd>
      </div>
    </dl>
  );
}

function LastCheck({ provider: { last_check: check } }: Pick<Props, "provider">) {
  if (!check) return "not checked since the start";
  return (
    <>
      {check.ok ? `${plural(check.models_found, "model")} found` : checkWord(check.code)},{" "}
      <RelativeTime value={check.at} />
    </>
  );
}
