import { Tooltip } from "@mantine/core";
import { IconBan, IconChevronRight, IconPlugConnectedX } from "@tabler/icons-react";
import { Fragment } from "react";
import type { Operation, RouteTarget } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { Money } from "@/components/Money";
import { StatusBadge } from "@/components/StatusBadge";
import { parseNano } from "@/lib/money";
import { formatCount, formatPercent } from "@/lib/numbers";
import classes from "./columns.module.css";
import { capabilityLabel, criticalityLabel, errorRate, targetName } from "./words";

export const OPERATION_COLUMNS: readonly Column<Operation>[] = [
  {
    id: "operation",
    header: "Operation",
    width: "minmax(180px, 1fr)",
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
    width: "104px",
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
    width: "minmax(344px, 2.6fr)",
    hint: "Targets in the order they are tried",
    cell: (row) => <Chain targets={row.targets} />,
  },
  {
    id: "requests",
    header: "Requests 24 h",
    width: "102px",
    align: "end",
    sortValue: (row) => row.last_24h.requests,
    cell: ({ last_24h: { requests } }) =>
      requests === 0 ? <span className="muted">–</span> : formatCount(requests),
  },
  {
    id: "spend",
    header: "Spend 24 h",
    width: "88px",
    align: "end",
    sortValue: (row) => parseNano(row.last_24h.spend),
    cell: ({ last_24h: { requests, spend } }) => (
      <Money value={requests === 0 ? null : spend} format="total" />
    ),
  },
  {
    id: "errors",
    header: "Error rate",
    width: "80px",
    align: "end",
    sortValue: (row) => errorRate(row.last_24h) ?? null,
    cell: (row) => {
      const rate = errorRate(row.last_24h);
      return rate === undefined ? <span className="muted">–</span> : formatPercent(rate);
    },
  },
  {
    id: "state",
    header: "State",
    width: "96px",
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
export const OPERATIONS_MIN_WIDTH = 994;

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
        <span className="ellipsis">{name}</span>
      </span>
    </Tooltip>
  );
}

function skipReason(target: RouteTarget): string | undefined {
  if (!target.enabled) return "switched off in this route";
  return target.ready.ready ? undefined : target.ready.text;
}
