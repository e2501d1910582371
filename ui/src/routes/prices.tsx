import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { pricesSearchSchema } from "@/features/prices/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const pricesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/prices",
  validateSearch: searchValidator(pricesSearchSchema),
  staticData: { title: "Prices", section: "Route" },
  component: lazyRouteComponent(() => import("@/features/prices/PricesPage"), "PricesPage"),
});
