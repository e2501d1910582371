import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { notificationsSearchSchema } from "@/features/notifications/search";
import { searchValidator } from "@/lib/search";
import { rootRoute } from "./root";

export const notificationsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/notifications",
  validateSearch: searchValidator(notificationsSearchSchema),
  staticData: { title: "Notifications", section: "Admin" },
  component: lazyRouteComponent(
    () => import("@/features/notifications/NotificationsPage"),
    "NotificationsPage",
  ),
});
