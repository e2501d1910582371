import { IconGavel } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Status } from "@/bindings";
import { plural } from "@/lib/numbers";
import classes from "../OverviewPage.module.css";

/** What waits for a person. Nothing when nothing does. */
export function NeedsYou({ status }: { status: Status | undefined }) {
  const waiting = status?.approvals_pending ?? 0;
  if (waiting === 0) return null;
  return (
    <div className={classes.notes}>
      <Link className={classes.note} to="/approvals" search={{}} data-testid="needs-approvals">
        <IconGavel size={14} aria-hidden color="var(--accent)" />
        {plural(waiting, "approval waits", "approvals wait")} for you
      </Link>
    </div>
  );
}
