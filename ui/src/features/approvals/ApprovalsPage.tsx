import { SegmentedControl } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Page } from "@/components/Page";
import { DecidedView } from "./components/DecidedView";
import { PendingView } from "./components/PendingView";

const VIEWS = [
  { value: "pending", label: "Pending" },
  { value: "decided", label: "Decided" },
];

/** Where people say yes or no to what programs and colleagues ask for. */
export function ApprovalsPage() {
  const { view, approval } = useSearch({ from: "/approvals" });
  const navigate = useNavigate({ from: "/approvals" });
  const open = (id: string | undefined) =>
    void navigate({ search: (previous) => ({ ...previous, approval: id }), replace: true });
  return (
    <Page
      id="approvals"
      layout="fill"
      toolbar={
        <SegmentedControl
          size="xs"
          aria-label="Which approvals"
          data={VIEWS}
          value={view ?? "pending"}
          onChange={(chosen) =>
            void navigate({ search: chosen === "decided" ? { view: "decided" } : {} })
          }
          data-testid="approvals-view"
        />
      }
    >
      {view === "decided" ? (
        <DecidedView openId={approval} onOpen={open} />
      ) : (
        <PendingView wanted={approval} onFollowed={() => open(undefined)} />
      )}
    </Page>
  );
}
