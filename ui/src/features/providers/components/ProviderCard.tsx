import { IconKey, IconStethoscope } from "@tabler/icons-react";
import type { Provider, ProviderHealth } from "@/bindings";
import { OutcomeStrip } from "@/charts/OutcomeStrip";
import { Duration } from "@/components/Duration";
import { HealthBadge } from "@/components/HealthBadge";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { formatCompact, formatCount, plural } from "@/lib/numbers";
import { healthSentence, notableTargets, shownHealth } from "../health";
import { checkWord, credentialWords, kindLabel } from "../model";
import { Headroom } from "./Headroom";
import { inUse } from "./HealthSection";
import classes from "./ProviderCard.module.css";
import { ProviderStateBadge } from "./ProviderStateBadge";
import { Success, TargetLines } from "./TargetLines";

/** From here on the exact count is in the tooltip only. */
const COMPACT_FROM = 100_000;

/** Targets a card has room for; the detail has them all. */
const TARGETS_SHOWN = 4;

type Props = {
  provider: Provider;
  /** Absent while it is read, and when it cannot be. */
  health: ProviderHealth | undefined;
  /** With its health and its figures. */
  figures: boolean;
  open: boolean;
  openModel: string | undefined;
  onOpen: () => void;
  onOpenTarget: (model: string) => void;
};

/** One provider at a glance. The whole card opens the detail; its button is the name. */
export function ProviderCard(props: Props) {
  const { provider, health, figures, open, openModel, onOpen, onOpenTarget } = props;
  const state = shownHealth(provider, health);
  const targets = health ? notableTargets(health.targets) : [];
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
        {state && health ? (
          <HealthBadge state={state} title={health.text} />
        ) : (
          <ProviderStateBadge provider={provider} />
        )}
      </div>
      <p className={`${classes.line} ellipsis`}>
        {provider.builtin
          ? "Answers at no cost until a provider is connected"
          : `${kindLabel(provider.kind)} · ${plural(provider.models.length, "model")}`}
      </p>
      <p className={`${classes.line} mono ellipsis`} title={provider.base_url}>
        {provider.base_url}
      </p>
      {figures ? (
        <>
          <p className={classes.sentence}>{health ? healthSentence(health) : " "}</p>
          <div className={classes.strip}>
            <OutcomeStrip label={provider.name} minutes={health?.strip ?? NO_MINUTES} />
          </div>
          <Figures provider={provider} health={health} />
          {health ? (
            <p className={classes.limits}>
              <span>Calls in use {inUse(health)}</span>
              {health.headroom ? <Headroom headroom={health.headroom} /> : null}
            </p>
          ) : null}
          {targets.length === 0 ? null : (
            <TargetLines
              label={`Targets of ${provider.name}, best first`}
              targets={targets}
              most={TARGETS_SHOWN}
              openModel={open ? openModel : undefined}
              onOpen={onOpenTarget}
            />
          )}
        </>
      ) : null}
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

/** An hour of nothing, so that the strip keeps its place until it is read. */
const NO_MINUTES: ProviderHealth["strip"] = Array.from({ length: 60 }, (_, index) => ({
  at: new Date(index * 60_000).toISOString(),
  succeeded: 0,
  failed: 0,
}));

type FiguresProps = Pick<Props, "provider" | "health">;

function Figures({ provider: { last_24h: traffic }, health }: FiguresProps) {
  const window = health?.window;
  const failed = traffic.failed === 0 ? "" : `, ${formatCount(traffic.failed)} of them failed`;
  return (
    <dl className={classes.figures}>
      <div>
        <dt>Success</dt>
        <dd title={window ? `Of the last ${window.minutes} minutes` : undefined}>
          <Success rate={window?.success_rate ?? null} />
        </dd>
      </div>
      <div>
        <dt>p50 · p95</dt>
        <dd>
          <Duration ms={window?.latency_ms_p50 ?? null} />{" "}
          <span className={classes.second}>
            <Duration ms={window?.latency_ms_p95 ?? null} />
          </span>
        </dd>
      </div>
      <div>
        <dt>Spend 24 h</dt>
        <dd>
          <Money value={traffic.spend} format="total" />
        </dd>
      </div>
      <div>
        <dt>Requests 24 h</dt>
        <dd title={`${formatCount(traffic.requests)}${failed}`}>
          {traffic.requests < COMPACT_FROM
            ? formatCount(traffic.requests)
            : formatCompact(traffic.requests)}
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
