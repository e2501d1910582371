import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { drillsSearchSchema } from "@/features/drills/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const drillsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/drills",
  validateSearch: searchValidator(drillsSearchSchema),
  staticData: { title: "Drill", section: "Route" },
  component: lazyRouteComponent(() => import("@/features/drills/DrillsPage"), "DrillsPage"),
});
