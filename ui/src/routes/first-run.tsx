import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { firstRunSearchSchema } from "@/features/first-run/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const firstRunRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/first-run",
  validateSearch: searchValidator(firstRunSearchSchema),
  staticData: { title: "First run", section: "Admin" },
  component: lazyRouteComponent(() => import("@/features/first-run/FirstRunPage"), "FirstRunPage"),
});
