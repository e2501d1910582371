import { Button } from "@mantine/core";
import { useTimeout } from "@mantine/hooks";
import { useState } from "react";
import { plural } from "@/lib/numbers";
import { displayKeys } from "@/lib/shortcuts";
import { type Desk, UNDO_MS } from "../desk";
import type { DeskHandle } from "../useDesk";
import classes from "./approvals.module.css";

const WORDS = { approved: "Approved", rejected: "Rejected" } as const;

/** What was just decided, for as long as it can be taken back. */
export function LastDecision({ desk, does }: { desk: Desk; does: DeskHandle["does"] }) {
  const { last } = desk;
  return last === null ? null : <Shown key={last.at} last={last} does={does} />;
}

type ShownProps = { last: NonNullable<Desk["last"]>; does: DeskHandle["does"] };

function Shown({ last, does }: ShownProps) {
  const [over, setOver] = useState(false);
  useTimeout(() => setOver(true), UNDO_MS, { autoInvoke: true });
  if (over) return null;
  return (
    <div className={classes.last} role="status" data-testid="approval-last">
      <span>
        {WORDS[last.verdict]}
        {last.ids.length > 1 ? ` ${plural(last.ids.length, "request")}` : ""}.
      </span>
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => does({ type: "undo" })}
        rightSection={
          <kbd className={classes.key} aria-hidden>
            {displayKeys("u")}
          </kbd>
        }
        data-testid="approval-undo"
      >
        Undo
      </Button>
    </div>
  );
}
