import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { settingsSearchSchema } from "@/features/settings/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  validateSearch: searchValidator(settingsSearchSchema),
  staticData: { title: "Settings", section: "Admin" },
  component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "SettingsPage"),
});
