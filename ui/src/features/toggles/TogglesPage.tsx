import { useQuery } from "@tanstack/react-query";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { Skeleton } from "@/components/Skeletons";
import { KillSwitchPanel } from "./components/KillSwitchPanel";
import { ToggleRow } from "./components/ToggleRow";
import { banded } from "./model";
import { togglesQueryOptions } from "./queries";
import classes from "./toggles.module.css";

/** What is switched on, what nobody can switch, and the switch that stops everything. */
export function TogglesPage() {
  const toggles = useQuery(togglesQueryOptions());
  return (
    <Page id="toggles">
      <div className={classes.page}>
        <KillSwitchPanel />
        {toggles.isPending ? (
          <Skeleton label="the toggles" shape="rows" rows={8} />
        ) : toggles.data === undefined ? (
          <ErrorState
            title="The toggles could not be read"
            error={toggles.error}
            onRetry={() => void toggles.refetch()}
          />
        ) : (
          banded(toggles.data).map(({ band, toggles }) => (
            <Panel
              key={band.band}
              title={
                <span className={classes.head} data-band={band.band}>
                  <band.icon size={16} stroke={1.75} aria-hidden />
                  {band.title}
                </span>
              }
              flush
              data-testid={`toggles-${band.band}`}
            >
              <p className={classes.note}>{band.note}</p>
              {toggles.map((toggle) => (
                <ToggleRow key={toggle.name} toggle={toggle} />
              ))}
            </Panel>
          ))
        )}
      </div>
    </Page>
  );
}
