import { Tooltip } from "@mantine/core";
import { IconDatabase, IconFlask } from "@tabler/icons-react";
import type { RequestRow } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { Duration } from "@/components/Duration";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { RequestStatusBadge } from "@/components/StatusBadge";
import { formatMoneyExact, formatMoneyRow } from "@/lib/money";
import { formatCount } from "@/lib/numbers";
import classes from "./columns.module.css";
import { PRICING_WORDS } from "./cost";

/** The columns of the log. Fixed widths, so that live rows never move each other sideways. */
export const LOG_COLUMNS: readonly Column<RequestRow>[] = [
  {
    id: "time",
    header: "Time",
    width: "92px",
    cell: (row) => <RelativeTime value={row.started_at} format="clock" />,
  },
  {
    id: "operation",
    header: "Operation",
    width: "minmax(112px, 1fr)",
    cell: (row) => row.operation,
  },
  {
    id: "model",
    header: "Model",
    width: "minmax(168px, 1.6fr)",
    cell: (row) => <ModelCell row={row} />,
  },
  {
    id: "status",
    header: "Status",
    width: "104px",
    cell: (row) => (
      <span title={row.error_code ?? undefined}>
        <RequestStatusBadge status={row.status} />
      </span>
    ),
  },
  {
    id: "tokens",
    header: "Tokens in / out",
    width: "112px",
    align: "end",
    hint: "Tokens sent to the model and tokens it answered with",
    cell: (row) => <Tokens row={row} />,
  },
  {
    id: "cost",
    header: "Cost",
    width: "112px",
    align: "end",
    cell: (row) => <CostCell row={row} />,
  },
  {
    id: "latency",
    header: "Latency",
    width: "74px",
    align: "end",
    hint: "From the arrival of the request to the last byte of the answer",
    cell: (row) => <Duration ms={row.latency_ms} absent={row.status === "in_flight" ? "…" : "–"} />,
  },
  {
    id: "first",
    header: "First token",
    width: "84px",
    align: "end",
    cell: (row) => <Duration ms={row.first_token_ms} />,
  },
  {
    id: "attempts",
    header: "Attempts",
    width: "70px",
    align: "end",
    cell: (row) => (
      <span className={row.attempts > 1 ? classes.several : undefined}>{row.attempts}</span>
    ),
  },
  {
    id: "key",
    header: "Key",
    width: "minmax(72px, 0.7fr)",
    cell: (row) => row.key_name ?? <span className="muted">–</span>,
  },
];

/** Below this the table scrolls sideways in its own frame. */
export const LOG_MIN_WIDTH = 1008;

function ModelCell({ row }: { row: RequestRow }) {
  if (row.provider === null) return <span className="muted">none reached</span>;
  const name = `${row.provider}/${row.model ?? ""}`;
  return (
    <span
      className={classes.model}
      title={row.simulated ? `${name} (simulated, costs nothing)` : name}
    >
      {row.cached ? (
        <span className={classes.cached} title="From the cache: no provider was called">
          <IconDatabase size={12} aria-hidden />
          <span className="visually-hidden">from cache</span>
        </span>
      ) : null}
      {row.simulated ? (
        <span className={classes.simulated}>
          <IconFlask size={12} aria-hidden />
          <span className="visually-hidden">simulated</span>
        </span>
      ) : null}
      <span className="ellipsis">
        <span className="muted">{row.provider}/</span>
        {row.model}
      </span>
    </span>
  );
}

function Tokens({ row }: { row: RequestRow }) {
  if (row.status === "in_flight" && row.tokens_in === 0) return <span className="muted">–</span>;
  return (
    <>
      {formatCount(row.tokens_in)} <span className="muted">/</span> {formatCount(row.tokens_out)}
    </>
  );
}

function CostCell({ row }: { row: RequestRow }) {
  if (row.status === "in_flight") return <span className="muted">…</span>;
  if (row.cached) return <CachedCost row={row} />;
  if (row.cost_status === "unpriced") {
    return (
      <Tooltip label={PRICING_WORDS.unpriced.meaning}>
        <span className={classes.unpriced}>unpriced</span>
      </Tooltip>
    );
  }
  if (row.cost_status === "estimated") {
    return (
      <span className={classes.estimated} title={PRICING_WORDS.estimated.meaning}>
        ≈ <Money value={row.cost} />
      </span>
    );
  }
  return <Money value={row.cost} />;
}

/** Nothing was spent; what would have been is the point. */
function CachedCost({ row }: { row: RequestRow }) {
  const saved = row.saved === null ? "an unknown amount" : formatMoneyExact(row.saved);
  return (
    <Tooltip label={`From the cache: ${saved} saved`}>
      <span className={classes.saved}>
        saved {row.saved === null ? "–" : formatMoneyRow(row.saved)}
      </span>
    </Tooltip>
  );
}
