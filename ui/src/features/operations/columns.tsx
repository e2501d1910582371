import { Tooltip } from "@mantine/core";
import { IconBan, IconChevronRight, IconDatabase, IconPlugConnectedX } from "@tabler/icons-react";
import { Fragment } from "react";
import type { Operation, RouteTarget } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { formatMoneyTotal, parseNano } from "@/lib/money";
import { formatCount, formatPercent, plural } from "@/lib/numbers";
import { strategyWords } from "@/lib/strategies";
import classes from "./columns.module.css";
import {
  balanceText,
  capabilityLabel,
  costPerThousand,
  criticalityLabel,
  errorRate,
  secondsText,
  targetName,
} from "./words";

export const OPERATION_COLUMNS: readonly Column<Operation>[] = [
  {
    id: "operation",
    header: "Operation",
    width: "minmax(168px, 1fr)",
    sortValue: (row) => row.id,
    cell: (row) => (
      <span className={classes.operation}>
        <span className="ellipsis">{row.id}</span>
        <span className="ellipsis" title={row.description}>
          {row.description}
        </span>
      </span>
    ),
  },
  {
    id: "kind",
    header: "Kind",
    width: "112px",
    hint: "What its models must be able to do, and how much depends on it",
    cell: (row) => (
      <span className={classes.kind}>
        <span>{capabilityLabel(row.capability)}</span>
        <span>{criticalityLabel(row.criticality)} criticality</span>
      </span>
    ),
  },
  {
    id: "chain",
    header: "Chain",
    width: "minmax(250px, 2.4fr)",
    hint: "Targets in the order they are tried",
    cell: (row) => <Chain targets={row.targets} />,
  },
  {
    id: "picking",
    header: "Picked by",
    width: "100px",
    hint: "Who is tried first, by how many rules, and whether answers are cached",
    sortValue: (row) => strategyWords(row.strategy).word,
    cell: (row) => <Picking row={row} />,
  },
  {
    id: "requests",
    header: "Requests",
    width: "76px",
    align: "end",
    hint: "Of the last 24 hours",
    sortValue: (row) => row.last_24h.requests,
    cell: ({ last_24h: { requests } }) =>
      requests === 0 ? <span className="muted">–</span> : formatCount(requests),
  },
  {
    id: "cost",
    header: "Cost / 1k",
    width: "84px",
    align: "end",
    hint: "A thousand requests, at what the last 24 hours cost",
    sortValue: (row) => parseNano(costPerThousand(row.last_24h) ?? "-1"),
    cell: ({ last_24h }) => (
      <span title={`${formatMoneyTotal(last_24h.spend)} in 24 h`}>
        <Money value={costPerThousand(last_24h) ?? null} format="total" />
      </span>
    ),
  },
  {
    id: "errors",
    header: "Errors",
    width: "66px",
    align: "end",
    hint: "Share of the requests of the last 24 hours that failed",
    sortValue: (row) => errorRate(row.last_24h) ?? null,
    cell: (row) => {
      const rate = errorRate(row.last_24h);
      return rate === undefined ? <span className="muted">–</span> : formatPercent(rate);
    },
  },
  {
    id: "changed",
    header: "Changed",
    width: "104px",
    sortValue: (row) => (row.changed_at === null ? null : Date.parse(row.changed_at)),
    cell: (row) => <RelativeTime value={row.changed_at} absent="never" />,
  },
  {
    id: "state",
    header: "State",
    width: "88px",
    cell: (row) =>
      row.enabled ? (
        <StatusBadge tone="ok">Enabled</StatusBadge>
      ) : (
        <StatusBadge tone="neutral" icon={IconBan}>
          Disabled
        </StatusBadge>
      ),
  },
];

/** Below this the table scrolls sideways in its own frame. */
export const OPERATIONS_MIN_WIDTH = 1080;

/** The strategy in a word; under it what else decides. */
function Picking({ row }: { row: Operation }) {
  const strategy = strategyWords(row.strategy);
  const title = row.strategy === "balanced" ? balanceText(row.balance) : strategy.says;
  return (
    <span className={classes.picking}>
      <span title={title}>{strategy.word}</span>
      <span>
        {row.rules.length === 0 ? null : (
          <span title={row.rules.map((rule) => rule.name).join("\n")}>
            {plural(row.rules.length, "rule")}
          </span>
        )}
        {row.cache_ttl_s === null ? null : (
          <span
            className={classes.cached}
            title={`Identical requests share an answer for ${secondsText(row.cache_ttl_s)}`}
          >
            <IconDatabase size={12} aria-hidden />
            cached
          </span>
        )}
      </span>
    </span>
  );
}

function Chain({ targets }: { targets: readonly RouteTarget[] }) {
  if (targets.length === 0) return <span className="muted">no targets</span>;
  return (
    <span className={classes.chain}>
      {targets.map((target, index) => (
        <Fragment key={targetName(target)}>
          {index > 0 ? (
            <IconChevronRight size={12} className={classes.then} aria-label="then" />
          ) : null}
          <Chip target={target} />
        </Fragment>
      ))}
    </span>
  );
}

function Chip({ target }: { target: RouteTarget }) {
  const reason = skipReason(target);
  const name = targetName(target);
  const Icon = target.enabled ? IconPlugConnectedX : IconBan;
  return (
    <Tooltip label={reason === undefined ? `${name}: ready` : `${name} is skipped: ${reason}`}>
      <span className={classes.chip} data-skipped={reason !== undefined}>
        {reason === undefined ? null : (
          <>
            <Icon size={12} aria-hidden />
            <span className="visually-hidden">skipped, {reason}: </span>
          </>
        )}
        <span className="ellipsis">
          {/* The model says enough in a row; the tooltip and the editor have both. */}
          <span className="visually-hidden">{target.provider}/</span>
          {target.model}
        </span>
      </span>
    </Tooltip>
  );
}

function skipReason(target: RouteTarget): string | undefined {
  if (!target.enabled) return "switched off in this route";
  return target.ready.ready ? undefined : target.ready.text;
}
