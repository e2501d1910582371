import { IconRoute } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { operationsQueryOptions } from "@/api/queries";
import type { Operation } from "@/bindings";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import { OPERATION_COLUMNS, OPERATIONS_MIN_WIDTH } from "./columns";
import { OperationSheet } from "./components/OperationSheet";
import classes from "./OperationsPage.module.css";

export function OperationsPage() {
  const search = useSearch({ from: "/operations" });
  const navigate = useNavigate({ from: "/operations" });
  const query = useQuery(operationsQueryOptions());
  const rows = query.data;
  const openId = search.operation;

  const open = (id: string | undefined) =>
    void navigate({
      search: (previous) => ({ ...previous, operation: id }),
      // Stepping through operations is one visit, not ten.
      replace: openId !== undefined && id !== undefined,
    });
  const openIndex = rows?.findIndex((row) => row.id === openId) ?? -1;
  const step = (by: number) => {
    const next = rows?.[openIndex + by];
    if (openIndex >= 0 && next) open(next.id);
  };
  const actions = useLatest({ step });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "[", label: "Previous operation", run: () => actions.current.step(-1) },
      { keys: "]", label: "Next operation", run: () => actions.current.step(1) },
    ],
    [actions],
  );
  useShortcuts("Operations", shortcuts);

  return (
    <Page
      id="operations"
      layout="fill"
      toolbar={
        <>
          <p className={classes.lead}>
            Programs ask for an operation; its chain decides which model answers, and at what price.
          </p>
          <span className={classes.summary}>{rows ? summary(rows) : null}</span>
        </>
      }
    >
      <div className={classes.card}>
        <SheetHost
          sheet={
            // Whether there is such an operation is not known while none could be read.
            openId === undefined || (query.isError && !rows) ? null : (
              <OperationSheet
                id={openId}
                operation={rows?.[openIndex]}
                waiting={query.isPending}
                onClose={() => open(undefined)}
                onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                onNext={
                  openIndex >= 0 && openIndex + 1 < (rows?.length ?? 0) ? () => step(1) : undefined
                }
              />
            )
          }
        >
          {query.isPending ? (
            <div className={classes.waiting}>
              <Skeleton label="the operations" shape="rows" rows={10} />
            </div>
          ) : rows ? (
            <DataTable
              label="Operations"
              columns={OPERATION_COLUMNS}
              rows={rows}
              rowId={rowId}
              density="comfortable"
              minWidth={OPERATIONS_MIN_WIDTH}
              rowTestId={rowTestId}
              isDimmed={isDisabled}
              openId={openId}
              onOpen={(row) => open(row.id)}
              empty={
                <EmptyState icon={IconRoute} title="The operations of your programs stand here">
                  Each with the models that answer it, in the order they are tried.
                </EmptyState>
              }
              pageKeys
              data-testid="operations-table"
            />
          ) : (
            <ErrorState
              title="The operations could not be read"
              error={query.error}
              onRetry={() => void query.refetch()}
            />
          )}
        </SheetHost>
      </div>
    </Page>
  );
}

function rowId(row: Operation): string {
  return row.id;
}

function rowTestId(row: Operation): string {
  return `operation-row-${row.id}`;
}

function isDisabled(row: Operation): boolean {
  return !row.enabled;
}

function summary(rows: readonly Operation[]): string {
  return `${rows.filter((row) => row.enabled).length} of ${rows.length} enabled`;
}
