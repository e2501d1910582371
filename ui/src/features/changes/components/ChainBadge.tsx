import { Button } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ChainReport } from "@/bindings";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { plural } from "@/lib/numbers";
import classes from "../ChangesPage.module.css";
import { verifyChainQueryOptions } from "../queries";

type Props = { report: ChainReport | undefined };

/** Whether every entry still fits the one before it, and a way to look again now. */
export function ChainBadge({ report }: Props) {
  const verify = useQuery(verifyChainQueryOptions());
  const latest = newer(report, verify.data);
  return (
    <span className={classes.chain} data-testid="chain-badge">
      {latest ? (
        <StatusBadge
          tone={latest.intact ? "ok" : "critical"}
          title="Each entry carries the hash of the one before it; a changed or missing entry shows."
        >
          {latest.intact
            ? `${plural(latest.entries, "entry", "entries")}, chain intact`
            : `Chain broken at no. ${latest.first_bad ?? "?"}`}
        </StatusBadge>
      ) : null}
      {latest ? (
        <span className="muted caption">
          checked <RelativeTime value={latest.checked_at} />
        </span>
      ) : null}
      <Button
        variant="default"
        h={32}
        leftSection={<IconShieldCheck size={14} aria-hidden />}
        loading={verify.isFetching}
        onClick={() => void verify.refetch()}
        data-testid="chain-verify"
      >
        Verify now
      </Button>
    </span>
  );
}

function newer(a: ChainReport | undefined, b: ChainReport | undefined): ChainReport | undefined {
  if (!a || !b) return a ?? b;
  return Date.parse(a.checked_at) >= Date.parse(b.checked_at) ? a : b;
}
