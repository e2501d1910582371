import { queryOptions } from "@tanstack/react-query";
import { call, CommandError } from "@/api/call";
import type { QueryKey } from "@/api/keys";
import { PAGE_ROWS } from "@/api/keyset";
import type { Alert, AlertFilter, AlertPage } from "@/bindings";
import { platform } from "@/platform";

/** Rows per step while an alert far down is looked for; the most the backend hands out. */
const WALK_ROWS = 500;

export function headKey(filter: AlertFilter): QueryKey {
  return ["alerts_page", "head", filter];
}

export function olderKey(filter: AlertFilter, cursor: string): QueryKey {
  return ["alerts_page", "older", filter, cursor];
}

export function fetchAlerts(filter: AlertFilter, cursor: string | null): Promise<AlertPage> {
  return call(platform().commands.alertsPage(filter, cursor, PAGE_ROWS));
}

/** One alert by its id, for a link to something the list does not hold. */
export function alertQueryOptions(id: string) {
  return queryOptions({
    queryKey: ["alerts_page", "head", { open: false }, "alert", id] as const,
    queryFn: () => findAlert(id),
  });
}

/** What became of the tellings of one alert. */
export function alertDeliveriesQueryOptions(alert: string) {
  return queryOptions({
    queryKey: ["deliveries_page", "head", { alert }] as const,
    queryFn: () => call(platform().commands.deliveriesPage({ alert }, null, PAGE_ROWS)),
  });
}

async function findAlert(id: string): Promise<Alert> {
  let cursor: string | null = null;
  do {
    const page: AlertPage = await call(
      platform().commands.alertsPage({ open: false }, cursor, WALK_ROWS),
    );
    const found = page.rows.find((row) => row.id === id);
    if (found) return found;
    cursor = page.next;
  } while (cursor !== null);
  throw new CommandError({
    code: "not_found",
    message: "This alert is not kept any more.",
    details: [],
  });
}
