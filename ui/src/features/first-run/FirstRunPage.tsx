import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { statusQueryOptions } from "@/api/queries";
import type { Status } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { Skeleton } from "@/components/Skeletons";
import { formatMoneyTotal } from "@/lib/money";
import { ConnectStep } from "./components/ConnectStep";
import { KeyStep } from "./components/KeyStep";
import { ProtectStep } from "./components/ProtectStep";
import { SendStep } from "./components/SendStep";
import { StepCard } from "./components/StepCard";
import classes from "./FirstRunPage.module.css";
import { doneSteps, openStep, type Step } from "./progress";

export function FirstRunPage() {
  const status = useQuery(statusQueryOptions());
  return (
    <Page id="first-run">
      {status.data ? (
        <Steps status={status.data} />
      ) : status.error ? (
        <ErrorState
          title="Signalbox could not be reached"
          error={status.error}
          onRetry={() => void status.refetch()}
        />
      ) : (
        <Skeleton label="your progress" shape="rows" rows={3} />
      )}
    </Page>
  );
}

function Steps({ status }: { status: Status }) {
  const search = useSearch({ from: "/first-run" });
  const navigate = useNavigate({ from: "/first-run" });
  const progress = { ...status.first_run, protected: status.budget?.stops ?? false };
  const open = openStep(progress, search.step);
  const done = doneSteps(progress, search.step);
  const go = (step: Step) => void navigate({ search: { step } });
  return (
    <div className={classes.column}>
      <div>
        <h1>Four steps to the first request</h1>
        <p className={classes.lead}>
          Each can be skipped and come back to. Nothing is sent before you say so.
        </p>
      </div>
      <StepCard
        number={1}
        title="Connect"
        note={connectNote(status, done.connect)}
        done={done.connect}
        open={open === "connect"}
        onOpen={() => go("connect")}
        data-testid="first-run-connect"
      >
        <ConnectStep onSimulator={() => go("key")} />
      </StepCard>
      <StepCard
        number={2}
        title="Point a program here"
        note={done.key ? "A key exists." : "Its base URL and a key of its own."}
        done={done.key}
        open={open === "key"}
        onOpen={() => go("key")}
        data-testid="first-run-key"
      >
        <KeyStep
          baseUrl={status.base_url}
          hasKey={progress.key_created}
          onDone={() => go("protect")}
        />
      </StepCard>
      <StepCard
        number={3}
        title="Protect"
        note={protectNote(status)}
        done={done.protect}
        open={open === "protect"}
        onOpen={() => go("protect")}
        data-testid="first-run-protect"
      >
        <ProtectStep onDone={() => go("send")} />
      </StepCard>
      <StepCard
        number={4}
        title="Send"
        note={done.send ? "The first request is in the log." : "From your program, or from here."}
        done={done.send}
        open={open === "send"}
        onOpen={() => go("send")}
        data-testid="first-run-send-step"
      >
        <SendStep
          baseUrl={status.base_url}
          firstRequest={progress.first_request}
          connected={progress.provider_connected}
        />
      </StepCard>
    </div>
  );
}

function protectNote({ budget }: Status): string {
  if (!budget?.stops) return "A limit that requests cannot pass.";
  const per = budget.period === "total" ? "in total" : `a ${budget.period}`;
  return `At most ${formatMoneyTotal(budget.limit)} ${per} goes out.`;
}

function connectNote(status: Status, done: boolean): string {
  if (status.first_run.provider_connected) return "A provider is connected.";
  return done
    ? "The simulator answers until a provider is connected."
    : "A provider, or the simulator at no cost.";
}
