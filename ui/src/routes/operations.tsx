import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { operationsSearchSchema } from "@/features/operations/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const operationsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/operations",
  validateSearch: searchValidator(operationsSearchSchema),
  staticData: { title: "Operations", section: "Route" },
  component: lazyRouteComponent(
    () => import("@/features/operations/OperationsPage"),
    "OperationsPage",
  ),
});
