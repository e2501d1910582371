import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { IconFilterOff, IconPlus, IconSearch, IconWallet } from "@tabler/icons-react";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { budgetsQueryOptions } from "@/api/queries";
import type { BudgetList } from "@/bindings";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import classes from "./budgets.module.css";
import { BUDGET_MIN_WIDTH, BUDGET_ROW_PX, budgetColumns } from "./columns";
import { AnomalyNotes } from "./components/AnomalyNotes";
import { BudgetSheet } from "./components/BudgetSheet";
import { EditorSheet } from "./components/EditorSheet";
import { HistoryView } from "./components/HistoryView";
import type { TypedBudget } from "./draft";
import { type BudgetRow, openIds, rowId, toggleOpen, toTree } from "./model";
import { budgetMembersQueryOptions } from "./queries";
import type { BudgetsSearch } from "./search";

const VIEWS = [
  { value: "budgets", label: "Budgets" },
  { value: "history", label: "Spend history" },
];

export function BudgetsPage() {
  const search = useSearch({ from: "/budgets" });
  const navigate = useNavigate({ from: "/budgets" });
  const list = useQuery(budgetsQueryOptions());
  const rows = useRows(list.data, search.open, search.q);
  const filterInput = useRef<HTMLInputElement>(null);

  const patch = (change: Partial<BudgetsSearch>, replace = false) =>
    void navigate({ search: (previous) => ({ ...previous, ...change }), replace });
  const openRow = (row: BudgetRow) =>
    patch(
      { budget: row.budget.id, member: row.member, edit: undefined, create: undefined },
      search.budget !== undefined,
    );
  const close = () => patch({ budget: undefined, member: undefined, edit: undefined });
  const openId =
    search.budget === undefined ? undefined : rowId(search.budget, search.member ?? "");
  const openIndex = rows.findIndex((row) => row.id === openId);
  const opened = list.data?.budgets.find((budget) => budget.id === search.budget);
  const step = (by: number) => {
    const next = rows[openIndex + by];
    if (openIndex >= 0 && next) openRow(next);
  };
  const create = () => patch({ create: true, budget: undefined, member: undefined });

  const fold = useLatest((row: BudgetRow) =>
    patch({ open: toggleOpen(search.open, row.budget.id) }, true),
  );
  const columns = useMemo(() => budgetColumns({ onFold: (row) => fold.current(row) }), [fold]);
  const actions = useLatest({ create, step, patch, opened });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "n", label: "New budget", run: () => actions.current.create() },
      {
        keys: "e",
        label: "Edit the open budget",
        run: () => {
          if (actions.current.opened) actions.current.patch({ edit: true });
        },
      },
      { keys: "/", label: "Filter", run: () => filterInput.current?.focus() },
      { keys: "[", label: "Previous budget", run: () => actions.current.step(-1) },
      { keys: "]", label: "Next budget", run: () => actions.current.step(1) },
    ],
    [actions],
  );
  useShortcuts("Budgets", shortcuts);

  const createButton = (
    <Button
      h={32}
      leftSection={<IconPlus size={14} aria-hidden />}
      title="New budget (N)"
      onClick={create}
      data-testid="budget-create"
    >
      New budget
    </Button>
  );
  const toolbar = (
    <>
      <SegmentedControl
        size="xs"
        data={VIEWS}
        value={search.view ?? "budgets"}
        onChange={(view) => patch({ view: view === "history" ? "history" : undefined })}
        aria-label="Show"
        data-testid="budgets-view"
      />
      {search.view === "history" ? null : (
        <TextInput
          ref={filterInput}
          className={classes.filter}
          aria-label="Filter budgets"
          placeholder="Filter by name, user or operation"
          leftSection={<IconSearch size={14} aria-hidden />}
          // Its own text while it is typed: the URL follows a moment later, and would take characters back.
          defaultValue={search.q ?? ""}
          onChange={(event) => patch({ q: event.currentTarget.value || undefined }, true)}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
          }}
          data-testid="budget-filter"
        />
      )}
      <span className={classes.space} />
      {createButton}
    </>
  );

  if (search.view === "history") {
    return (
      <Page id="budgets" toolbar={toolbar}>
        <HistoryView
          split={search.by ?? "user"}
          days={search.days ?? 30}
          onSplit={(by) => patch({ by }, true)}
          onDays={(days) => patch({ days }, true)}
        />
      </Page>
    );
  }
  return (
    <Page id="budgets" layout="fill" toolbar={toolbar}>
      {list.data ? <AnomalyNotes anomalies={list.data.anomalies} /> : null}
      <div className={classes.card}>
        <SheetHost
          sheet={
            search.create ? (
              <EditorSheet
                key="new"
                budget={undefined}
                start={search.for_key === undefined ? undefined : forKey(search.for_key)}
                onDone={(id) => patch({ create: undefined, for_key: undefined, budget: id }, true)}
                onClose={() => patch({ create: undefined, for_key: undefined }, true)}
              />
            ) : opened && search.edit ? (
              <EditorSheet
                key={opened.id}
                budget={opened}
                onDone={() => patch({ edit: undefined }, true)}
                onClose={() => patch({ edit: undefined }, true)}
              />
            ) : search.budget === undefined ? null : (
              <BudgetSheet
                id={search.budget}
                member={search.member}
                known={rows[openIndex]}
                onClose={close}
                onEdit={() => patch({ edit: true })}
                onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                onNext={openIndex >= 0 && openIndex + 1 < rows.length ? () => step(1) : undefined}
              />
            )
          }
        >
          {list.data === undefined ? (
            list.error ? (
              <ErrorState
                title="The budgets could not be read"
                error={list.error}
                onRetry={() => void list.refetch()}
              />
            ) : (
              <div className={classes.waiting}>
                <Skeleton label="the budgets" shape="rows" rows={6} />
              </div>
            )
          ) : list.data.budgets.length === 0 ? (
            <EmptyState
              icon={IconWallet}
              title="Nothing limits what is spent"
              action={createButton}
              data-testid="budgets-empty"
            >
              A budget holds what a request may cost before it is sent, and refuses what would not
              fit: for everything, an operation, a key or each user.
            </EmptyState>
          ) : (
            <DataTable
              label="Budgets"
              columns={columns}
              rows={rows}
              rowId={(row) => row.id}
              rowPx={BUDGET_ROW_PX}
              minWidth={BUDGET_MIN_WIDTH}
              rowTestId="budget-row"
              openId={openId}
              onOpen={openRow}
              onToggle={(row) => (row.folded === undefined ? openRow(row) : fold.current(row))}
              isDimmed={(row) => !row.budget.enabled}
              empty={
                <EmptyState
                  icon={IconFilterOff}
                  title="No budget matches this filter"
                  action={
                    <Button
                      variant="default"
                      onClick={() => {
                        if (filterInput.current) filterInput.current.value = "";
                        patch({ q: undefined });
                      }}
                    >
                      Show all budgets
                    </Button>
                  }
                  data-testid="budgets-no-results"
                />
              }
              pageKeys
              data-testid="budgets-table"
            />
          )}
        </SheetHost>
      </div>
    </Page>
  );
}

function forKey(id: string): Partial<TypedBudget> {
  return { kind: "key", value: id };
}

/** The tree, with the members of those budgets that are folded out. */
function useRows(
  list: BudgetList | undefined,
  open: string | undefined,
  q: string | undefined,
): BudgetRow[] {
  const ids = openIds(open);
  const members = useQueries({
    queries: ids.map((id) => budgetMembersQueryOptions(id)),
    combine: (results) => results.map((result) => result.data),
  });
  return useMemo(() => {
    const known = openIds(open).map((id, index) => [id, members[index] ?? []] as const);
    return toTree(list?.budgets ?? [], new Map(known), q);
  }, [list, open, members, q]);
}
