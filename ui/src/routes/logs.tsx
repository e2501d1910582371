import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { logsSearchSchema } from "@/features/logs/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const logsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/logs",
  validateSearch: searchValidator(logsSearchSchema),
  staticData: { title: "Logs", section: "Watch", timeRange: { fallback: "all", allowAll: true } },
  component: lazyRouteComponent(() => import("@/features/logs/LogsPage"), "LogsPage"),
});
