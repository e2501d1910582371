import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck, IconUserCheck } from "@tabler/icons-react";
import type { FiledChange } from "@/bindings";
import { UndoNotice } from "./UndoNotice";

const UNDO_MS = 10_000;
const SUCCESS_MS = 4_000;
const FAILURE_MS = 12_000;

/** Something that went well and needs nothing. */
export function notifySuccess(title: string, message?: string): void {
  notifications.show({
    title,
    message,
    color: "ok",
    icon: <IconCheck size={16} aria-hidden />,
    autoClose: SUCCESS_MS,
  });
}

/** Something that was done and can be taken back for ten seconds. */
export function notifyUndo(title: string, undo: () => Promise<unknown>, message?: string): void {
  const id = notifications.show({
    title,
    message: (
      <UndoNotice
        message={message}
        onUndo={async () => {
          notifications.hide(id);
          await undo();
        }}
      />
    ),
    color: "ok",
    icon: <IconCheck size={16} aria-hidden />,
    autoClose: UNDO_MS,
  });
}

/** Another admin has to approve it; nothing has changed yet. */
export function notifyAsked({ approval, sentence }: FiledChange): void {
  notifications.show({
    title: "Asked for approval",
    message: (
      <>
        {sentence}. Nothing changes until another admin approves it.{" "}
        <a href={`#/approvals?approval=${encodeURIComponent(approval)}`}>Open it in the queue</a>
      </>
    ),
    color: "info",
    icon: <IconUserCheck size={16} aria-hidden />,
    autoClose: UNDO_MS,
  });
}

/** What did not happen and why. What needs an action belongs next to its cause instead. */
export function notifyFailure(title: string, message: string): void {
  notifications.show({
    title,
    message,
    color: "critical",
    icon: <IconAlertTriangle size={16} aria-hidden />,
    autoClose: FAILURE_MS,
    role: "alert",
  });
}
