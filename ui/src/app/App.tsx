import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ErrorBoundary, type FallbackProps } from "react-error-boundary";
import { ErrorState } from "@/components/ErrorState";
import type { createAppRouter } from "@/routes/router";
import { cssVariablesResolver, theme } from "./theme";

type SurroundingsProps = {
  client: QueryClient;
  children: ReactNode;
  /** `test` turns transitions and portals' delays off. */
  env?: "default" | "test";
};

/** What every window needs around its content: theme, queries, notices, and words for what broke. */
export function Surroundings({ client, children, env = "default" }: SurroundingsProps) {
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
          {children}
        </QueryClientProvider>
      </ErrorBoundary>
    </MantineProvider>
  );
}

type Props = Omit<SurroundingsProps, "children"> & { router: ReturnType<typeof createAppRouter> };

/** The main window. */
export function App({ router, ...surroundings }: Props) {
  return (
    <Surroundings {...surroundings}>
      <RouterProvider router={router} />
    </Surroundings>
  );
}

function Broken({ error, resetErrorBoundary }: FallbackProps) {
  const cause = error instanceof Error ? error : new Error(String(error));
  return (
    <ErrorState title="The window could not be shown" error={cause} onRetry={resetErrorBoundary} />
  );
}
