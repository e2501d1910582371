import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { approvalsSearchSchema } from "@/features/approvals/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const approvalsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/approvals",
  validateSearch: searchValidator(approvalsSearchSchema),
  staticData: { title: "Approvals", section: "Decide" },
  component: lazyRouteComponent(
    () => import("@/features/approvals/ApprovalsPage"),
    "ApprovalsPage",
  ),
});
