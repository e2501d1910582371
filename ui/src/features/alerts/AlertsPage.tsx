import { Button } from "@mantine/core";
import { IconAdjustments, IconBellCheck, IconChecks, IconFilterOff } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useKeysetList } from "@/api/keyset";
import { alertRulesQueryOptions, openAlertsQueryOptions } from "@/api/queries";
import type { Alert, AlertPage } from "@/bindings";
import { EmptyState } from "@/components/EmptyState";
import { KeysetTable } from "@/components/KeysetTable";
import live from "@/components/LiveList.module.css";
import { NewRows } from "@/components/NewRows";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { formatCount } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useAtTop } from "@/lib/useAtTop";
import { useLatest } from "@/lib/useLatest";
import classes from "./AlertsPage.module.css";
import { ALERT_COLUMNS, ALERT_MIN_WIDTH } from "./columns";
import { AlertFilters } from "./components/AlertFilters";
import { AlertSheet } from "./components/AlertSheet";
import { filterOf, isOpen } from "./model";
import { acknowledgeMutationOptions } from "./mutations";
import { fetchAlerts, headKey, olderKey } from "./queries";
import type { AlertsSearch } from "./search";

/** The inbox: what a person should know of, newest first. */
export function AlertsPage() {
  const search = useSearch({ from: "/alerts" });
  const navigate = useNavigate({ from: "/alerts" });
  const filter = useMemo(() => filterOf(search), [search]);
  // Held still while somebody reads further down: a new alert must not move what they read.
  const { frame, atTop, onScroll, toTop } = useAtTop();
  const list = useKeysetList<Alert, AlertPage>({
    headKey: headKey(filter),
    olderKey: (cursor) => olderKey(filter, cursor),
    fetchPage: (cursor) => fetchAlerts(filter, cursor),
    rowId,
    live: atTop,
  });
  const { rows } = list;
  const kinds = useQuery(alertRulesQueryOptions()).data ?? [];
  const open = useQuery(openAlertsQueryOptions()).data;
  const openCount = open ? open.info + open.warning + open.critical : 0;
  const acknowledge = useMutation(acknowledgeMutationOptions());

  const setSearch = (patch: Partial<AlertsSearch>) =>
    void navigate({ search: (previous) => ({ ...previous, ...patch }) });
  const show = (id: string | undefined) =>
    void navigate({
      search: (previous) => ({ ...previous, alert: id }),
      replace: search.alert !== undefined && id !== undefined,
    });
  const openIndex = rows.findIndex((row) => row.id === search.alert);
  const step = (by: number) => {
    const next = rows[openIndex + by];
    if (openIndex >= 0 && next) show(next.id);
  };
  const acknowledgeOpen = () => {
    const alert = rows[openIndex];
    if (alert && alert.acknowledged_at === null) acknowledge.mutate([alert.id]);
  };

  const actions = useLatest({ step, acknowledgeOpen });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "[", label: "Previous alert", run: () => actions.current.step(-1) },
      { keys: "]", label: "Next alert", run: () => actions.current.step(1) },
      {
        keys: "a",
        label: "Acknowledge the open alert",
        run: () => actions.current.acknowledgeOpen(),
      },
    ],
    [actions],
  );
  useShortcuts("Alerts", shortcuts);

  const narrowed = search.kind !== undefined || search.severity !== undefined;
  return (
    <Page
      id="alerts"
      layout="fill"
      toolbar={
        <>
          <Button
            variant="default"
            leftSection={<IconChecks size={14} aria-hidden />}
            disabled={openCount === 0}
            loading={acknowledge.isPending && acknowledge.variables === null}
            onClick={() => acknowledge.mutate(null)}
            data-testid="alerts-acknowledge-all"
          >
            Acknowledge all
          </Button>
          <span className={classes.grow} />
          <span className={classes.count} role="status">
            {open ? `${formatCount(openCount)} open` : ""}
          </span>
          <Link to="/notifications" className={classes.link} data-testid="alerts-channels">
            <IconAdjustments size={14} aria-hidden />
            Channels and rules
          </Link>
        </>
      }
    >
      <AlertFilters search={search} kinds={kinds} onChange={setSearch} />
      <div className={live.card}>
        <SheetHost
          sheet={
            search.alert === undefined ? null : (
              <AlertSheet
                id={search.alert}
                known={rows[openIndex]}
                onClose={() => show(undefined)}
                onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                onNext={openIndex >= 0 && openIndex + 1 < rows.length ? () => step(1) : undefined}
              />
            )
          }
        >
          <div className={live.frame} ref={frame} onScrollCapture={onScroll}>
            <KeysetTable
              list={list}
              noun="alert"
              label="Alerts"
              columns={ALERT_COLUMNS}
              rowId={rowId}
              minWidth={ALERT_MIN_WIDTH}
              rowTestId="alert-row"
              openId={search.alert}
              onOpen={(row) => show(row.id)}
              isDimmed={(row) => !isOpen(row)}
              empty={
                <Empty
                  narrowed={narrowed}
                  showsAll={search.show === "all"}
                  onShowAll={() => setSearch({ show: "all", kind: undefined, severity: undefined })}
                />
              }
              data-testid="alerts-table"
            />
            <NewRows count={list.newCount} noun="alert" onShow={toTop} data-testid="alerts-new" />
          </div>
        </SheetHost>
      </div>
    </Page>
  );
}

type EmptyProps = { narrowed: boolean; showsAll: boolean; onShowAll: () => void };

function Empty({ narrowed, showsAll, onShowAll }: EmptyProps) {
  const all = (
    <Button variant="default" onClick={onShowAll} data-testid="alerts-show-all">
      Show all alerts
    </Button>
  );
  if (narrowed) {
    return (
      <EmptyState icon={IconFilterOff} title="No alert matches this filter" action={all}>
        {showsAll ? "" : "Only open alerts are shown."}
      </EmptyState>
    );
  }
  if (showsAll) {
    return (
      <EmptyState
        icon={IconBellCheck}
        title="What somebody should know of will stand here"
        data-testid="alerts-empty"
      >
        Circuits that open, budgets near their limit, usage without a price. Each once, however
        often it comes up.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={IconBellCheck}
      title="Nothing is open"
      action={all}
      data-testid="alerts-empty"
    >
      Everything was acknowledged or is over.
    </EmptyState>
  );
}

function rowId(alert: Alert): string {
  return alert.id;
}
