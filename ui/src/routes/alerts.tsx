import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { alertsSearchSchema } from "@/features/alerts/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const alertsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/alerts",
  validateSearch: searchValidator(alertsSearchSchema),
  staticData: { title: "Alerts", section: "Watch" },
  component: lazyRouteComponent(() => import("@/features/alerts/AlertsPage"), "AlertsPage"),
});
