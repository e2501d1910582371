import { Button } from "@mantine/core";

type Props = { message: string | undefined; onUndo: () => Promise<void> };

/** The text of a notice with its way back. */
export function UndoNotice({ message, onUndo }: Props) {
  return (
    <span
      style={{ display: "flex", alignItems: "center", gap: 12, justifyContent: "space-between" }}
    >
      <span>{message}</span>
      <Button size="compact-xs" variant="default" onClick={() => void onUndo()} data-testid="undo">
        Undo
      </Button>
    </span>
  );
}
