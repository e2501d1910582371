import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";

export const togglesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/toggles",
  staticData: { title: "Toggles", section: "Route" },
  component: lazyRouteComponent(() => import("@/features/toggles/TogglesPage"), "TogglesPage"),
});
