import type { QueryClient } from "@tanstack/react-query";
import { createHashHistory, createRouter, type RouterHistory } from "@tanstack/react-router";
import { approvalsRoute } from "./approvals";
import { alertsRoute } from "./alerts";
import { budgetsRoute } from "./budgets";
import { changesRoute } from "./changes";
import { drillsRoute } from "./drills";
import { firstRunRoute } from "./first-run";
import { indexRoute } from "./index";
import { keysRoute } from "./keys";
import { logsRoute } from "./logs";
import { notificationsRoute } from "./notifications";
import { operationsRoute } from "./operations";
import { overviewRoute } from "./overview";
import { pricesRoute } from "./prices";
import { providersRoute } from "./providers";
import { rootRoute } from "./root";
import { settingsRoute } from "./settings";
import { togglesRoute } from "./toggles";

const routeTree = rootRoute.addChildren([
  indexRoute,
  overviewRoute,
  logsRoute,
  changesRoute,
  approvalsRoute,
  alertsRoute,
  operationsRoute,
  providersRoute,
  drillsRoute,
  pricesRoute,
  togglesRoute,
  budgetsRoute,
  keysRoute,
  notificationsRoute,
  settingsRoute,
  firstRunRoute,
]);

/** A hash history: the window is one file, and a link works in every host. */
export function createAppRouter(client: QueryClient, history: RouterHistory = createHashHistory()) {
  return createRouter({
    routeTree,
    history,
    context: { client },
    defaultPreload: "intent",
    // The pages say themselves what is missing; the router must not wait for them.
    defaultPendingMs: 150,
    scrollRestoration: false,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
