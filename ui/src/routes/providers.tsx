import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { providersSearchSchema } from "@/features/providers/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const providersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/providers",
  validateSearch: searchValidator(providersSearchSchema),
  staticData: { title: "Providers", section: "Route" },
  component: lazyRouteComponent(
    () => import("@/features/providers/ProvidersPage"),
    "ProvidersPage",
  ),
});
