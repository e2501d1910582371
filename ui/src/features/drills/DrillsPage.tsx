import { IconFlame } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { operationsQueryOptions, providersQueryOptions } from "@/api/queries";
import type { Drill, DrillInput } from "@/bindings";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { Skeleton } from "@/components/Skeletons";
import { DrillForm } from "./components/DrillForm";
import { DrillView } from "./components/DrillView";
import classes from "./components/drills.module.css";
import { drillOperations, simulatedModels, simulatorName } from "./model";
import { drillQueryOptions } from "./queries";

/** Rehearses a fault on simulated models and shows live how the chain holds. */
export function DrillsPage() {
  const search = useSearch({ from: "/drills" });
  const drill = useQuery(drillQueryOptions());
  const providers = useQuery(providersQueryOptions());
  const operations = useQuery(operationsQueryOptions());
  const error = drill.error ?? providers.error ?? operations.error;
  const ready = drill.data !== undefined && providers.data && operations.data;
  return (
    <Page id="drills">
      <p className={classes.intro}>
        A drill makes a simulated model fail and sends requests through a chain of simulated
        targets. It costs nothing, calls no provider and changes no configuration.
      </p>
      {ready ? (
        <div className={classes.layout}>
          <div className={classes.column}>
            <DrillForm
              models={simulatedModels(providers.data)}
              operations={drillOperations(operations.data)}
              first={firstInput(drill.data, search, providers.data, operations.data)}
              running={drill.data?.running ?? false}
            />
          </div>
          <div className={classes.column}>
            {drill.data ? (
              <DrillView drill={drill.data} simulator={simulatorName(providers.data)} />
            ) : (
              <Panel title="The drill">
                <EmptyState
                  icon={IconFlame}
                  title="Start a drill, and watch here how the chain holds"
                  data-testid="drill-empty"
                >
                  What is sent and answered, when the circuit opens, and each change of target.
                </EmptyState>
              </Panel>
            )}
          </div>
        </div>
      ) : error ? (
        <ErrorState
          title="The drills could not be read"
          error={error}
          onRetry={() => {
            void drill.refetch();
            void providers.refetch();
            void operations.refetch();
          }}
        />
      ) : (
        <Skeleton label="the drills" shape="rows" rows={12} />
      )}
    </Page>
  );
}

type Known = Parameters<typeof simulatedModels>[0];
type Routes = Parameters<typeof drillOperations>[0];

/** As the last one was, as a link asks for, or a short outage under the first conversation. */
function firstInput(
  last: Drill | null,
  search: { model?: string | undefined; operation?: string | undefined },
  providers: Known,
  operations: Routes,
): DrillInput {
  const start = last?.input ?? {
    model: simulatedModels(providers)[0] ?? "",
    fault: "outage",
    percent: 100,
    seconds: 60,
    requests_per_second: 5,
    operation: drillOperations(operations)[0] ?? "",
  };
  return {
    ...start,
    ...(search.model ? { model: search.model } : {}),
    ...(search.operation ? { operation: search.operation } : {}),
  };
}
