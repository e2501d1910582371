import { Button } from "@mantine/core";
import { IconBan } from "@tabler/icons-react";
import { plural } from "@/lib/numbers";
import classes from "../prices.module.css";

type Props = {
  /** `provider/model`. */
  targets: readonly string[];
  onOpen: (target: string) => void;
};

/** Models that no route leads to because a bill was higher than their price allows. */
export function BlockedBanner({ targets, onOpen }: Props) {
  return (
    <section
      className={classes.banner}
      data-tone="critical"
      aria-label="Blocked models"
      data-testid="blocked"
    >
      <div className={classes.bannerHead}>
        <IconBan size={16} aria-hidden />
        <p>
          <strong>{plural(targets.length, "model")}</strong> {targets.length === 1 ? "is" : "are"}{" "}
          blocked: a bill was higher than the price allows.
        </p>
        {targets.map((target) => (
          <Button
            key={target}
            variant="default"
            size="compact-sm"
            onClick={() => onOpen(target)}
            data-testid={`blocked-${target}`}
          >
            {target}
          </Button>
        ))}
      </div>
    </section>
  );
}
