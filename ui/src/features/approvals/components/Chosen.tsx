import { Button, Group } from "@mantine/core";
import { formatCount } from "@/lib/numbers";
import { displayKeys } from "@/lib/shortcuts";
import { chosenTogether, type Desk } from "../desk";
import { exactMoney, totalCost } from "../model";
import type { DeskHandle } from "../useDesk";
import classes from "./approvals.module.css";

/** What is selected, what it may cost together, and whether it can be approved in one go. */
export function Chosen({ desk, does }: { desk: Desk; does: DeskHandle["does"] }) {
  if (desk.chosen.size === 0) return null;
  const together = chosenTogether(desk);
  return (
    <div className={classes.chosen} data-testid="approvals-chosen">
      <span>
        <strong>{formatCount(desk.chosen.size)} selected</strong>
        {"papers" in together ? `, together up to ${exactMoney(totalCost(together.papers))}` : ""}
      </span>
      <Group gap={6}>
        {"papers" in together ? (
          <Button
            size="compact-sm"
            onClick={() => does({ type: "approve_chosen" })}
            rightSection={
              <kbd className={classes.key} aria-hidden>
                {displayKeys("shift+a")}
              </kbd>
            }
            data-testid="approvals-approve-chosen"
          >
            Approve…
          </Button>
        ) : null}
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => does({ type: "choose_none" })}
          data-testid="approvals-choose-none"
        >
          Clear
        </Button>
      </Group>
      {"why" in together ? <p className="muted">{together.why}</p> : null}
    </div>
  );
}
