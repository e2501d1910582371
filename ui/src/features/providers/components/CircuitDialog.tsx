import { Button, Group, Modal, Stack, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { CircuitAction } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { notifySuccess, notifyUndo } from "@/lib/notices";
import { circuitMutationOptions, undoCircuitMutationOptions } from "../mutations";

/** What is asked of a circuit; of all targets of the provider when no model is named. */
export type Asked = {
  action: "hold" | "reset";
  provider: string;
  model: string | null;
  /** Whether it is held now, so that a reset can be taken back. */
  held: boolean;
};

type Props = { asked: Asked | undefined; onClose: () => void };

/** Says what holding a circuit open or resetting it means, and asks why. */
export function CircuitDialog({ asked, onClose }: Props) {
  return (
    <Modal
      opened={asked !== undefined}
      onClose={onClose}
      title={asked ? titleOf(asked) : ""}
      size="md"
    >
      {asked ? <Question asked={asked} onClose={onClose} /> : null}
    </Modal>
  );
}

function Question({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  const change = useMutation(circuitMutationOptions());
  const undo = useMutation(undoCircuitMutationOptions());
  const [reason, setReason] = useState("");
  const { action, provider, model, held } = asked;
  const submit = () => {
    const why = reason.trim() === "" ? null : reason.trim();
    const wanted: CircuitAction = { provider, model, action, reason: why };
    change.mutate(wanted, {
      onSuccess: () => {
        onClose();
        const title = `${subjectOf(asked)} is ${action === "hold" ? "held open" : "reset"}`;
        const back: CircuitAction = {
          provider,
          model,
          action: action === "hold" ? "reset" : "hold",
          reason: "Taken back",
        };
        // What failures had opened is forgotten by a reset; only a hold can be put back.
        if (action === "hold" || held)
          notifyUndo(title, () => undo.mutateAsync(back).catch(() => undefined));
        else notifySuccess(title, "It is called again from the next request on.");
      },
    });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!change.isPending) submit();
      }}
    >
      <Stack gap={16}>
        <div>{consequenceOf(asked)}</div>
        <Textarea
          label="Reason (optional)"
          description="It stands in the history."
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          rows={2}
          maxLength={500}
          data-autofocus
          data-testid="circuit-reason"
        />
        {change.error ? (
          <ErrorState title="The circuit was not changed" error={change.error} compact />
        ) : null}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose} disabled={change.isPending}>
            Cancel
          </Button>
          <Button
            type="submit"
            {...(action === "hold" ? { color: "critical" } : {})}
            loading={change.isPending}
            data-testid="circuit-confirm"
          >
            {action === "hold" ? "Hold open" : "Reset"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function subjectOf({ provider, model }: Asked): string {
  return model === null ? `Every target of ${provider}` : `${provider}/${model}`;
}

function titleOf(asked: Asked): string {
  const subject =
    asked.model === null ? `all of ${asked.provider}` : `${asked.provider}/${asked.model}`;
  return asked.action === "hold" ? `Hold ${subject} open?` : `Reset ${subject}?`;
}

function consequenceOf(asked: Asked) {
  if (asked.action === "hold") {
    return (
      <>
        <p>
          No request goes there from now on: routes pass on to their next target, and fail where
          there is none.
        </p>
        <p className="muted">It stays so, over restarts too, until somebody resets it.</p>
      </>
    );
  }
  return (
    <>
      <p>Its circuit is closed and its failures are forgotten; the next request is sent there.</p>
      <p className="muted">If it still fails, the circuit opens again by itself.</p>
    </>
  );
}
