import { Button, Select } from "@mantine/core";
import { IconArrowsExchange, IconFilterOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useKeysetList } from "@/api/keyset";
import { operationsQueryOptions, providersQueryOptions } from "@/api/queries";
import type { Failover, FailoverFilter, FailoverPage } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { Duration } from "@/components/Duration";
import { EmptyState } from "@/components/EmptyState";
import { KeysetTable } from "@/components/KeysetTable";
import { RelativeTime } from "@/components/RelativeTime";
import live from "@/components/LiveList.module.css";
import { failureWord } from "@/lib/failures";
import { failoversHeadKey, failoversOlderKey, fetchFailovers } from "../queries";
import classes from "./FailoversView.module.css";

/** Below this the table scrolls sideways in its own frame. */
const MIN_WIDTH = 860;

const COLUMNS: readonly Column<Failover>[] = [
  {
    id: "time",
    header: "Time",
    width: "108px",
    cell: (row) => <RelativeTime value={row.at} />,
  },
  {
    id: "operation",
    header: "Operation",
    width: "minmax(120px, 1fr)",
    cell: (row) => row.operation,
  },
  {
    id: "from",
    header: "From",
    width: "minmax(160px, 1.4fr)",
    cell: (row) => <Target provider={row.from_provider} model={row.from_model} />,
  },
  {
    id: "to",
    header: "To",
    width: "minmax(160px, 1.4fr)",
    cell: (row) => <Target provider={row.to_provider} model={row.to_model} />,
  },
  {
    id: "reason",
    header: "Reason",
    width: "136px",
    cell: (row) => <span title={row.reason}>{failureWord(row.reason)}</span>,
  },
  {
    id: "hop",
    header: "Hop",
    width: "76px",
    align: "end",
    hint: "Our own time between the two calls",
    cell: (row) => <Duration ms={row.hop_ms} />,
  },
  {
    id: "request",
    header: "Request",
    width: "112px",
    cell: (row) => (
      <span className="mono" title={row.request_id}>
        …{row.request_id.slice(-8)}
      </span>
    ),
  },
];

/** Every change from one target to the next, newest first. A row leads to its request. */
export function FailoversView() {
  const search = useSearch({ from: "/providers" });
  const navigate = useNavigate({ from: "/providers" });
  const filter = useMemo<FailoverFilter>(
    () => ({
      ...(search.operation ? { operation: search.operation } : {}),
      ...(search.from ? { provider: search.from } : {}),
    }),
    [search.operation, search.from],
  );
  const list = useKeysetList<Failover, FailoverPage>({
    headKey: failoversHeadKey(filter),
    olderKey: (cursor) => failoversOlderKey(filter, cursor),
    fetchPage: (cursor) => fetchFailovers(filter, cursor),
    rowId,
  });
  const operations = useQuery(operationsQueryOptions()).data ?? [];
  const providers = useQuery(providersQueryOptions()).data ?? [];
  const filtered = search.operation !== undefined || search.from !== undefined;
  const set = (patch: { operation?: string | undefined; from?: string | undefined }) =>
    void navigate({ search: (previous) => ({ ...previous, ...patch }), replace: true });
  return (
    <div className={classes.view}>
      <div className={classes.filters} role="group" aria-label="Filters">
        <Select
          className={classes.filter}
          aria-label="Of which operation"
          placeholder="Any operation"
          data={operations.map(({ id }) => id)}
          value={search.operation ?? null}
          onChange={(value) => set({ operation: value ?? undefined })}
          clearable
          searchable
          data-testid="failovers-operation"
        />
        <Select
          className={classes.filter}
          aria-label="From which provider"
          placeholder="From any provider"
          data={providers.map(({ name }) => name)}
          value={search.from ?? null}
          onChange={(value) => set({ from: value ?? undefined })}
          clearable
          searchable
          data-testid="failovers-from"
        />
      </div>
      <div className={live.card}>
        <div className={live.frame}>
          <KeysetTable
            list={list}
            noun="failover"
            label="Failovers"
            columns={COLUMNS}
            rowId={rowId}
            minWidth={MIN_WIDTH}
            rowTestId="failover-row"
            onOpen={(row) => void navigate({ to: "/logs", search: { request: row.request_id } })}
            empty={
              <Empty
                filtered={filtered}
                onClear={() => set({ operation: undefined, from: undefined })}
              />
            }
            data-testid="failovers-table"
          />
        </div>
      </div>
    </div>
  );
}

function Target({ provider, model }: { provider: string; model: string }) {
  return (
    <span title={`${provider}/${model}`}>
      <span className="muted">{provider}/</span>
      {model}
    </span>
  );
}

function Empty({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return filtered ? (
    <EmptyState
      icon={IconFilterOff}
      title="No failover matches this filter"
      action={
        <Button variant="default" onClick={onClear} data-testid="failovers-clear">
          Show all failovers
        </Button>
      }
    />
  ) : (
    <EmptyState
      icon={IconArrowsExchange}
      title="Each change from one target to the next will stand here"
      data-testid="failovers-empty"
    >
      With why the first one was left, and how long the change took.
    </EmptyState>
  );
}

/** A request may change targets more than once. */
function rowId(row: Failover): string {
  return `${row.request_id} ${row.from_provider}/${row.from_model} ${row.to_provider}/${row.to_model}`;
}
