import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { budgetsSearchSchema } from "@/features/budgets/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const budgetsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/budgets",
  validateSearch: searchValidator(budgetsSearchSchema),
  staticData: { title: "Budgets", section: "Spend" },
  component: lazyRouteComponent(() => import("@/features/budgets/BudgetsPage"), "BudgetsPage"),
});
