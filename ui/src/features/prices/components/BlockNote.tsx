import { Button } from "@mantine/core";
import { IconBan } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ModelBlock } from "@/bindings";
import { Money } from "@/components/Money";
import { RelativeTime } from "@/components/RelativeTime";
import { notifySuccess } from "@/lib/notices";
import { unblockMutationOptions } from "../mutations";
import classes from "../prices.module.css";

type Props = { target: string; block: ModelBlock };

/** Why no route leads to the model, and the way to use it again at the price it has. */
export function BlockNote({ target, block }: Props) {
  const unblock = useMutation({
    ...unblockMutationOptions(),
    onSuccess: (row) => {
      if (row !== null) notifySuccess("Unblocked", `Routes lead to ${target} again.`);
    },
  });
  return (
    <section
      className={classes.banner}
      data-tone="critical"
      aria-label="Blocked"
      data-testid="price-block"
    >
      <div className={classes.bannerHead}>
        <IconBan size={16} aria-hidden />
        <p>
          <strong>Blocked</strong> since <RelativeTime value={block.since} format="clock" />:{" "}
          <Link to="/logs" search={{ request: block.request_id }}>
            a request
          </Link>{" "}
          was billed at <Money value={block.cost} />, and by this price it could come to{" "}
          <Money value={block.bound} /> at most. Set the price that is right, or use the model again
          at this one.
        </p>
        <Button
          variant="default"
          size="compact-sm"
          loading={unblock.isPending}
          onClick={() => unblock.mutate({ target, reason: null })}
          data-testid="price-unblock"
        >
          Unblock
        </Button>
      </div>
    </section>
  );
}
