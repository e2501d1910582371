import { createRoute, redirect } from "@tanstack/react-router";
import { statusQueryOptions } from "@/api/queries";
import { rootRoute } from "./root";

/** Where the window opens: on the first run until a request has gone through, then on the overview. */
export const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  loader: async ({ context }) => {
    const isNew = await context.client.ensureQueryData(statusQueryOptions()).then(
      (status) => status.first_run.first_request === null,
      // Without a status the overview can say what is wrong; the first run could not.
      () => false,
    );
    throw redirect({ to: isNew ? "/first-run" : "/overview", replace: true });
  },
});
