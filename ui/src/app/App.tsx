import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { ErrorBoundary, type FallbackProps } from "react-error-boundary";
import { ErrorState } from "@/components/ErrorState";
import type { createAppRouter } from "@/routes/router";
import { cssVariablesResolver, theme } from "./theme";

type Props = {
  client: QueryClient;
  router: ReturnType<typeof createAppRouter>;
  /** `test` turns transitions and portals' delays off. */
  env?: "default" | "test";
};

export function App({ client, router, env = "default" }: Props) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariablesResolver}
      defaultColorScheme="auto"
      env={env}
    >
      <ErrorBoundary FallbackComponent={Broken}>
        <QueryClientProvider client={client}>
          <Notifications position="bottom-right" limit={4} containerWidth={380} />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </ErrorBoundary>
    </MantineProvider>
  );
}

function Broken({ error, resetErrorBoundary }: FallbackProps) {
  const cause = error instanceof Error ? error : new Error(String(error));
  return (
    <ErrorState title="The window could not be shown" error={cause} onRetry={resetErrorBoundary} />
  );
}
