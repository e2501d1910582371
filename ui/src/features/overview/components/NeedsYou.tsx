import {
  IconClockExclamation,
  IconGavel,
  IconPlugConnectedX,
  IconTag,
  IconWallet,
  IconWalletOff,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ComponentType } from "react";
import {
  budgetsQueryOptions,
  keysQueryOptions,
  providerHealthQueryOptions,
  statusQueryOptions,
  unpricedQueryOptions,
} from "@/api/queries";
import { Panel } from "@/components/Panel";
import { RelativeTime } from "@/components/RelativeTime";
import { Skeleton } from "@/components/Skeletons";
import { formatCount } from "@/lib/numbers";
import { type Need, type NeedKind, needsOf } from "../needs";
import classes from "./NeedsYou.module.css";

type Icon = ComponentType<{ size?: number; "aria-hidden"?: boolean }>;

const LOOKS: Record<NeedKind, { icon: Icon; tone: "critical" | "warn" | "accent" }> = {
  passed: { icon: IconWalletOff, tone: "critical" },
  circuit: { icon: IconPlugConnectedX, tone: "critical" },
  approval: { icon: IconGavel, tone: "accent" },
  near: { icon: IconWallet, tone: "warn" },
  key: { icon: IconClockExclamation, tone: "warn" },
  price: { icon: IconTag, tone: "warn" },
};

/** What waits for a person, the most pressing first; each leads to where it is done. */
export function NeedsYou() {
  const status = useQuery(statusQueryOptions());
  const budgets = useQuery(budgetsQueryOptions());
  const keys = useQuery(keysQueryOptions());
  const health = useQuery(providerHealthQueryOptions());
  const unpriced = useQuery(unpricedQueryOptions());
  const asked = [status, budgets, keys, health, unpriced];
  const waiting = asked.some(({ isPending }) => isPending);
  const needs = needsOf({
    approvals: status.data?.approvals_pending ?? 0,
    budgets: budgets.data?.budgets ?? [],
    keys: keys.data ?? [],
    health: health.data ?? [],
    unpriced: unpriced.data ?? [],
  });
  const isPart = asked.some(({ data, error }) => error !== null && data === undefined);
  const lookedAt = new Date(Math.max(...asked.map(({ dataUpdatedAt }) => dataUpdatedAt)));
  return (
    <Panel
      title="Needs you"
      actions={
        needs.length === 0 ? null : (
          <span className="muted tabular" data-testid="needs-count">
            {formatCount(needs.length)}
          </span>
        )
      }
      data-testid="needs-you"
    >
      {waiting && needs.length === 0 ? (
        <Skeleton label="what needs you" shape="text" rows={4} />
      ) : (
        <>
          {needs.length === 0 && !isPart ? (
            <p className="muted" data-testid="needs-nothing">
              Nothing needs you. Last check{" "}
              <RelativeTime value={lookedAt.toISOString()} format="clock" />.
            </p>
          ) : (
            <ul className={classes.list}>
              {needs.map((need) => (
                <Line key={need.id} need={need} />
              ))}
            </ul>
          )}
          {isPart ? (
            <p className={classes.part} role="status">
              Not everything could be looked at: there may be more.
            </p>
          ) : null}
        </>
      )}
    </Panel>
  );
}

function Line({ need }: { need: Need }) {
  const { icon: Glyph, tone } = LOOKS[need.kind];
  return (
    <li>
      <Link
        className={classes.need}
        to={need.to}
        search={need.search}
        data-testid={`needs-${need.kind}`}
      >
        <span className={classes.icon} data-tone={tone}>
          <Glyph size={16} aria-hidden />
        </span>
        <span className={classes.words}>
          <span>{need.words}</span>
          {need.detail === undefined ? null : <span className={classes.detail}>{need.detail}</span>}
        </span>
      </Link>
    </li>
  );
}
