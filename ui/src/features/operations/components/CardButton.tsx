import { ActionIcon, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";

type CardButtonProps = { label: string; idle?: boolean; run: () => void; children: ReactNode };

/** A small button of a card. Stays focusable where it has nothing to do, so that the focus does not fall out of the card at the ends. */
export function CardButton({ label, idle = false, run, children }: CardButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        size={24}
        aria-label={label}
        aria-disabled={idle}
        data-disabled={idle || undefined}
        onClick={() => {
          if (!idle) run();
        }}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
