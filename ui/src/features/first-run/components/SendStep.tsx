import { Button } from "@mantine/core";
import { IconArrowRight, IconLoader2, IconSend } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { sendTestRequestMutationOptions } from "@/api/mutations";
import { operationsQueryOptions } from "@/api/queries";
import type { Operation, TestAnswer } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { MonoBox } from "@/components/MonoBox";
import { Money } from "@/components/Money";
import { Snippets } from "@/components/Snippets";
import { StatusBadge } from "@/components/StatusBadge";
import classes from "../FirstRunPage.module.css";

type Props = { baseUrl: string; firstRequest: string | null; connected: boolean };

const OPERATION = "chat_message";
const MESSAGE = "Say hello to Signalbox in one short sentence.";

/** A program's snippet to paste, or one request from here; either way it appears in the log. */
export function SendStep({ baseUrl, firstRequest, connected }: Props) {
  const operations = useQuery(operationsQueryOptions());
  const send = useMutation(sendTestRequestMutationOptions());
  const chat = operations.data?.find((operation) => operation.id === OPERATION);
  return (
    <>
      <Snippets baseUrl={baseUrl} operations={[OPERATION]} />
      <div className={classes.row}>
        <Button
          leftSection={<IconSend size={16} aria-hidden />}
          loading={send.isPending}
          onClick={() => send.mutate({ operation: OPERATION, message: MESSAGE })}
          data-testid="first-run-send"
        >
          Send one now
        </Button>
        {chat ? <Destination operation={chat} connected={connected} /> : null}
      </div>
      {send.error ? (
        <ErrorState
          title="The request was not answered"
          error={send.error}
          compact
          data-testid="first-run-send-error"
        />
      ) : null}
      {send.data ? <Answer answer={send.data} /> : <Arrival firstRequest={firstRequest} />}
    </>
  );
}

function Answer({ answer }: { answer: TestAnswer }) {
  return (
    <div className={classes.answer} data-testid="first-run-answer">
      <StatusBadge tone="ok">
        {answer.provider}/{answer.model} answered for{" "}
        <Money value={answer.cost} absent="an unknown price" />
        {answer.simulated ? ", simulated" : ""}
      </StatusBadge>
      <MonoBox text={answer.text} label="Answer" maxHeight={120} />
      <ToLog request={answer.request_id} />
    </div>
  );
}

function Arrival({ firstRequest }: { firstRequest: string | null }) {
  if (firstRequest === null) {
    return (
      <p className={classes.waiting} role="status" data-testid="first-run-waiting">
        <IconLoader2 size={16} aria-hidden /> Waiting for your first request…
      </p>
    );
  }
  return (
    <div className={classes.row} data-testid="first-run-arrived">
      <StatusBadge tone="ok">Your first request has arrived.</StatusBadge>
      <ToLog request={firstRequest} />
    </div>
  );
}

function ToLog({ request }: { request: string }) {
  return (
    <Button
      variant="subtle"
      rightSection={<IconArrowRight size={16} aria-hidden />}
      renderRoot={(props) => <Link {...props} to="/logs" search={{ request }} />}
      data-testid="first-run-to-log"
    >
      See its attempts and cost lines
    </Button>
  );
}

/** Where a request would go now, and what that means for money, before anything is sent. */
function Destination({ operation, connected }: { operation: Operation; connected: boolean }) {
  const ready = operation.targets.find((target) => target.ready.ready);
  if (ready) {
    return (
      <span className="muted">
        It goes to {ready.provider}/{ready.model} and costs well under a cent.
      </span>
    );
  }
  if (!connected) return <span className="muted">It goes to the simulator and costs $0.</span>;
  return (
    <span className="muted" data-testid="first-run-no-target">
      Its route does not lead to your provider yet.{" "}
      <Link to="/operations" search={{ operation: operation.id }}>
        Put it into the route
      </Link>
    </span>
  );
}
