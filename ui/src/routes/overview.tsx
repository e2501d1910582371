import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { overviewSearchSchema } from "@/features/overview/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const overviewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/overview",
  validateSearch: searchValidator(overviewSearchSchema),
  staticData: {
    title: "Overview",
    section: "Watch",
    timeRange: { fallback: "24h", allowAll: false },
  },
  component: lazyRouteComponent(() => import("@/features/overview/OverviewPage"), "OverviewPage"),
});
