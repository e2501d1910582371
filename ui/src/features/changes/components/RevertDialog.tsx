import { Button, Group, Modal, Stack, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Change } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { JsonDiff } from "@/components/JsonDiff";
import { MonthImpact } from "@/components/MonthImpact";
import { Skeleton } from "@/components/Skeletons";
import { notifySuccess, notifyUndo } from "@/lib/notices";
import { plural } from "@/lib/numbers";
import { revertMutationOptions, undoRevertMutationOptions } from "../mutations";
import { revertPreviewQueryOptions } from "../queries";
import classes from "./RevertDialog.module.css";

type Props = {
  change: Change;
  opened: boolean;
  onClose: () => void;
};

/** Says what a revert puts back, and asks why. A revert is a change itself and can be reverted. */
export function RevertDialog({ change, opened, onClose }: Props) {
  const revert = useMutation(revertMutationOptions());
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      closeOnEscape={!revert.isPending}
      closeOnClickOutside={!revert.isPending}
      title={`Revert change ${change.seq}?`}
      size="lg"
    >
      <Question change={change} onClose={onClose} revert={revert} />
    </Modal>
  );
}

type QuestionProps = Omit<Props, "opened"> & {
  revert: ReturnType<
    typeof useMutation<Change | null, Error, { seq: number; reason: string | null }>
  >;
};

function Question({ change, onClose, revert }: QuestionProps) {
  const preview = useQuery(revertPreviewQueryOptions(change.seq));
  const later = preview.data?.later ?? 0;
  const undo = useMutation(undoRevertMutationOptions());
  const [reason, setReason] = useState("");
  const submit = () => {
    const why = reason.trim();
    revert.mutate(
      { seq: change.seq, reason: why === "" ? null : why },
      {
        onSuccess: (made) => {
          onClose();
          if (made === null) return;
          const title = `Change ${change.seq} is reverted`;
          // Putting back something that was gone cannot be undone from the history.
          if (made.revertible) notifyUndo(title, async () => undo.mutate(made.seq), made.subject);
          else notifySuccess(title, made.subject);
        },
      },
    );
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!revert.isPending) submit();
      }}
    >
      <Stack gap={16}>
        <div>
          <p>
            <strong>{change.subject}</strong> goes back to what it was before this change, from the
            next request on.
          </p>
          {later > 0 ? (
            <p>
              {plural(later, "later change")} of it {later === 1 ? "is" : "are"} undone too.
            </p>
          ) : null}
          <p className="muted">Nothing is erased: the revert becomes an entry of its own.</p>
        </div>
        {preview.data?.month ? <MonthImpact impact={preview.data.month} /> : null}
        {preview.data ? (
          <div className={classes.preview} data-testid="revert-preview">
            <JsonDiff
              before={preview.data.before}
              after={preview.data.after}
              label="What the revert changes"
              context={2}
            />
          </div>
        ) : preview.error ? (
          <ErrorState title="It cannot be reverted now" error={preview.error} compact />
        ) : (
          <Skeleton label="what it changes" shape="text" rows={4} />
        )}
        <Textarea
          label="Reason (optional)"
          description="It stands in the history."
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          rows={3}
          maxLength={500}
          data-autofocus
          data-testid="change-revert-reason"
        />
        {revert.error ? (
          <ErrorState title="The change was not reverted" error={revert.error} compact />
        ) : null}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose} disabled={revert.isPending}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={revert.isPending}
            disabled={preview.data === undefined}
            data-testid="change-revert-confirm"
          >
            Revert change
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
