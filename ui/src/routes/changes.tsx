import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { changesSearchSchema } from "@/features/changes/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const changesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/changes",
  validateSearch: searchValidator(changesSearchSchema),
  staticData: {
    title: "Change history",
    section: "Watch",
    timeRange: { fallback: "all", allowAll: true },
  },
  component: lazyRouteComponent(() => import("@/features/changes/ChangesPage"), "ChangesPage"),
});
