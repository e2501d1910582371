import { Slider } from "@mantine/core";
import type { Balance } from "@/bindings";
import { NumberField } from "@/components/NumberField";
import { BALANCE_PARTS, type BalancePart, withPart } from "../shares";
import classes from "./StrategyPicker.module.css";

type Props = {
  balance: Balance;
  error: string | undefined;
  onChange: (balance: Balance) => void;
};

const WORDS: Readonly<Record<BalancePart, string>> = {
  cost: "Cost",
  latency: "Time",
  quality: "Quality",
};

/** What counts how much. Moving one part moves the others, so that they are always 100 percent together. */
export function BalanceEditor({ balance, error, onChange }: Props) {
  const set = (part: BalancePart, value: number) => {
    if (value !== balance[part]) onChange(withPart(balance, part, value));
  };
  return (
    <div className={classes.balance} role="group" aria-label="What counts how much">
      {BALANCE_PARTS.map((part) => (
        <div key={part} className={classes.part}>
          <span aria-hidden>{WORDS[part]}</span>
          <Slider
            size={4}
            min={0}
            max={100}
            value={balance[part]}
            onChange={(value) => set(part, value)}
            label={null}
            thumbLabel={`${WORDS[part]}, percent`}
          />
          <NumberField
            inline
            label=""
            aria-label={`${WORDS[part]} in percent`}
            value={balance[part]}
            unit="%"
            width={64}
            onChange={(value) => set(part, value ?? 0)}
            data-testid={`balance-${part}`}
          />
        </div>
      ))}
      <p className={error === undefined ? classes.hint : classes.error} role="status">
        {error ?? "Together always 100 %: moving one takes from the others in proportion."}
      </p>
    </div>
  );
}
