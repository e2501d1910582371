import { Radio } from "@mantine/core";
import { STRATEGIES } from "@/lib/strategies";
import type { RouteEditor } from "../useRouteEditor";
import { BalanceEditor } from "./BalanceEditor";
import classes from "./StrategyPicker.module.css";

/** How the first target is picked: one sentence each. */
export function StrategyPicker({ editor }: { editor: RouteEditor }) {
  const { strategy, balance } = editor.draft.present;
  return (
    <>
      <Radio.Group
        value={strategy}
        onChange={(chosen) => editor.edit({ type: "set", change: { strategy: chosen } })}
        error={editor.problemAt("strategy")}
        aria-label="How the first target is picked"
        data-testid="route-strategy"
      >
        <div className={classes.choices}>
          {STRATEGIES.map(({ id, word, says }) => (
            <Radio.Card
              key={id}
              value={id}
              className={classes.choice}
              aria-label={`${word}: ${says}`}
              data-testid={`route-strategy-${id}`}
            >
              <Radio.Indicator size="xs" mt={3} />
              <span>
                <strong>{word}</strong>
                <span>{says}</span>
              </span>
            </Radio.Card>
          ))}
        </div>
      </Radio.Group>
      {strategy === "balanced" ? (
        <BalanceEditor
          balance={balance}
          error={editor.problemAt("balance")}
          onChange={(next) => editor.edit({ type: "set", change: { balance: next } })}
        />
      ) : null}
    </>
  );
}
