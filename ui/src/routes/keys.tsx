import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { keysSearchSchema } from "@/features/keys/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const keysRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/keys",
  validateSearch: searchValidator(keysSearchSchema),
  staticData: { title: "API keys", section: "Admin" },
  component: lazyRouteComponent(() => import("@/features/keys/KeysPage"), "KeysPage"),
});
