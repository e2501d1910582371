import { Button } from "@mantine/core";
import { IconPlayerStop } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { providerHealthQueryOptions } from "@/api/queries";
import type { Drill, Failover, TargetHealth } from "@/bindings";
import { CircuitBand } from "@/charts/CircuitBand";
import { Duration } from "@/components/Duration";
import { HealthBadge } from "@/components/HealthBadge";
import { Panel } from "@/components/Panel";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { failureWord } from "@/lib/failures";
import { formatCount } from "@/lib/numbers";
import { happening, leftWords, planWords, progressOf, shownUntil } from "../model";
import { stopDrillMutationOptions } from "../mutations";
import { drillFailoversQueryOptions } from "../queries";
import { useEverySecond } from "../useEverySecond";
import classes from "./drills.module.css";

type Props = { drill: Drill; simulator: string };

/** A drill as it goes: what happens, the counts, both circuits, the latest failovers, and at the end the verdict. */
export function DrillView({ drill, simulator }: Props) {
  const health = useQuery(providerHealthQueryOptions()).data;
  const failovers = useQuery(drillFailoversQueryOptions(drill.input, simulator)).data?.rows ?? [];
  const now = useEverySecond(drill.running);
  const since = failovers.filter(({ at }) => at >= drill.started_at);
  const targets = health?.find(({ provider }) => provider === simulator)?.targets ?? [];
  const failing = targets.find(({ model }) => model === drill.input.model);
  const words = happening(drill, failing?.state);
  return (
    <>
      <Panel
        title={drill.running ? "The drill" : "The last drill"}
        actions={<Actions drill={drill} now={now} />}
        data-testid="drill-view"
      >
        <p className={classes.big} data-testid="drill-words" role="status">
          {words}
        </p>
        <p className={classes.plan}>{planWords(drill.input)}</p>
        <div className={classes.track} aria-hidden>
          <span style={{ transform: `scaleX(${progressOf(drill, now)})` }} />
        </div>
        <Counts drill={drill} />
        {drill.running ? null : (
          <p className={classes.verdict} data-testid="drill-verdict">
            <StatusBadge tone={drill.failed === 0 ? "ok" : "warn"} boxed>
              {drill.failed === 0 ? "Held" : "Not quite"}
            </StatusBadge>
            {drill.verdict}
          </p>
        )}
      </Panel>
      <Panel title="Circuits">
        <div className={classes.circuits}>
          {pair(drill, targets, since).map((target) => (
            <Circuit key={target.model} target={target} drill={drill} now={now} />
          ))}
          {targets.length === 0 ? (
            <p className="muted">Their circuits show once a request has reached them.</p>
          ) : null}
        </div>
      </Panel>
      <Panel title="Latest failovers">
        {since.length === 0 ? (
          <p className="muted">None yet: each request that changes its target will stand here.</p>
        ) : (
          <Failovers rows={since} />
        )}
      </Panel>
    </>
  );
}

function Actions({ drill, now }: { drill: Drill; now: number }) {
  const stop = useMutation(stopDrillMutationOptions());
  if (!drill.running)
    return (
      <span className="muted">
        ended <RelativeTime value={drill.ends_at} />
      </span>
    );
  return (
    <>
      <span className="muted tabular">{leftWords(drill, now)} left</span>
      <Button
        color="critical"
        variant="outline"
        size="compact-sm"
        loading={stop.isPending}
        leftSection={<IconPlayerStop size={14} aria-hidden />}
        onClick={() => stop.mutate()}
        data-testid="drill-stop"
      >
        Stop
      </Button>
    </>
  );
}

function Counts({ drill }: { drill: Drill }) {
  return (
    <dl className={classes.counts}>
      <Count name="Sent" testId="drill-sent">
        {formatCount(drill.sent)}
      </Count>
      <Count name="Answered" testId="drill-answered">
        {formatCount(drill.succeeded)}
      </Count>
      <Count name="By the next target" testId="drill-failed-over">
        {formatCount(drill.failed_over)}
      </Count>
      <Count name="Failed" testId="drill-failed" bad={drill.failed > 0}>
        {formatCount(drill.failed)}
      </Count>
      <Count name="Hop, median" hint="Our own time between two targets">
        <Duration ms={drill.hop_ms_p50} />
      </Count>
      <Count name="Hop, longest" hint="Our own time between two targets">
        <Duration ms={drill.hop_ms_max} />
      </Count>
      <Count name="Circuit opened after" hint="From the start of the drill">
        <Duration ms={drill.opened_after_ms} absent={drill.running ? "–" : "stayed closed"} />
      </Count>
    </dl>
  );
}

type CountProps = {
  name: string;
  hint?: string;
  bad?: boolean;
  testId?: string;
  children: ReactNode;
};

function Count({ name, hint, bad = false, testId, children }: CountProps) {
  return (
    <div>
      <dt title={hint}>{name}</dt>
      <dd data-bad={bad} data-testid={testId}>
        {children}
      </dd>
    </div>
  );
}

/** The model that goes wrong, and the one that answers for it. */
function pair(
  drill: Drill,
  targets: readonly TargetHealth[],
  failovers: readonly Failover[],
): TargetHealth[] {
  const second =
    targets.find(({ model }) => model === failovers[0]?.to_model) ??
    targets.find(({ model, rank }) => model !== drill.input.model && rank !== null);
  const failing = targets.find(({ model }) => model === drill.input.model);
  return [failing, second].filter((target) => target !== undefined);
}

function Circuit({ target, drill, now }: { target: TargetHealth; drill: Drill; now: number }) {
  return (
    <div data-testid={`drill-circuit-${target.model}`}>
      <p className={classes.circuitHead}>
        <Link to="/providers" search={{ provider: target.provider, model: target.model }}>
          {target.model}
        </Link>
        <HealthBadge state={target.state} title={target.text} />
        <span className="muted">
          {target.model === drill.input.model ? "goes wrong" : "answers for it"}
        </span>
      </p>
      <CircuitBand
        label={`Circuit of ${target.model} during the drill`}
        events={target.events}
        fromMs={Date.parse(drill.started_at)}
        toMs={shownUntil(drill, now)}
        {...(drill.running ? { endLabel: "now" } : {})}
      />
    </div>
  );
}

function Failovers({ rows }: { rows: readonly Failover[] }) {
  return (
    <table className={classes.failovers} aria-label="Latest failovers">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">From → to</th>
          <th scope="col">Reason</th>
          <th scope="col" className={classes.end}>
            Hop
          </th>
          <th scope="col">
            <span className="visually-hidden">Request</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={`${row.request_id} ${row.at}`}>
            <td>
              <RelativeTime value={row.at} format="clock" />
            </td>
            <td>
              {row.from_model} → {row.to_model}
            </td>
            <td title={row.reason}>{failureWord(row.reason)}</td>
            <td className={classes.end}>
              <Duration ms={row.hop_ms} />
            </td>
            <td className={classes.end}>
              <Link to="/logs" search={{ request: row.request_id }}>
                Request
              </Link>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
