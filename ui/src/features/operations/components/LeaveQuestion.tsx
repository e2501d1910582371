import { Button, Group, Modal, Stack } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { useCallback } from "react";
import { plural } from "@/lib/numbers";
import { useLatest } from "@/lib/useLatest";
import type { RouteEditor } from "../useRouteEditor";

type Props = { operation: string; editor: RouteEditor };

/** Asks before a draft is left behind: by closing the sheet, by another operation, by another screen. */
export function LeaveQuestion({ operation, editor }: Props) {
  const dirty = useLatest(editor.dirty);
  const shouldBlockFn = useCallback(
    ({ next }: { next: { pathname: string; search: object } }) =>
      dirty.current && !(next.pathname === "/operations" && opened(next.search) === operation),
    [dirty, operation],
  );
  // A closed window keeps its page alive, so only leaving inside of it is asked about.
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn,
    enableBeforeUnload: false,
    withResolver: true,
  });
  return (
    <Modal
      opened={status === "blocked"}
      onClose={() => reset?.()}
      title={`Leave the draft of ${operation}?`}
      size="md"
    >
      <Stack gap={16}>
        <p>
          {plural(editor.changes, "change")} {editor.changes === 1 ? "is" : "are"} not applied. The
          route stays as it is, and the draft is lost.
        </p>
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={() => reset?.()} data-autofocus>
            Stay
          </Button>
          <Button color="critical" onClick={() => proceed?.()} data-testid="draft-leave">
            Discard and leave
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function opened(search: object): unknown {
  return "operation" in search ? search.operation : undefined;
}
