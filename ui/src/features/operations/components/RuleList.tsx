import { IconPlus } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { flushSync } from "react-dom";
import { type Example, EXAMPLES, freeName } from "../conditions";
import type { DraftRule } from "../draft";
import { keepFocus } from "../keepFocus";
import { useCardDrag } from "../useCardDrag";
import type { RouteEditor } from "../useRouteEditor";
import { targetName } from "../words";
import { InsertMenu } from "./InsertMenu";
import { RuleCard } from "./RuleCard";
import classes from "./RuleList.module.css";

/** The rules as numbered cards. The first one that holds counts, so their order matters. */
export function RuleList({ editor }: { editor: RouteEditor }) {
  const { rules, cards } = editor.draft.present;
  const [spoken, setSpoken] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const addButton = useRef<HTMLButtonElement>(null);
  const chain = cards.map(targetName);

  const move = (rule: DraftRule, to: number) => {
    const place = Math.min(Math.max(to, 0), rules.length - 1);
    keepFocus(() => editor.edit({ type: "moveRule", id: rule.id, to: place }));
    setSpoken(`${rule.name}, ${place + 1} of ${rules.length}`);
  };
  const remove = (rule: DraftRule) => {
    flushSync(() => editor.edit({ type: "removeRule", id: rule.id }));
    addButton.current?.focus();
    setSpoken(`${rule.name} removed`);
  };
  const add = ({ name, when, effect }: Example) => {
    const names = rules.map((rule) => rule.name);
    const rule = { name: freeName(name, names), when, effect, targets: chain.slice(0, 1) };
    flushSync(() => editor.edit({ type: "addRule", rule }));
    setSpoken(`${rule.name} added`);
    list.current?.querySelector<HTMLElement>("li:last-child textarea")?.focus();
  };
  const drag = useCardDrag((index, to) => {
    const rule = rules[index];
    if (rule) move(rule, to);
  });
  return (
    <>
      {rules.length === 0 ? (
        <p className={classes.none}>
          None: every request goes by the strategy. A rule can send some elsewhere by what they are
          like, for example short ones, ones with pictures, or those of one user.
        </p>
      ) : (
        <ol ref={list} className={classes.cards}>
          {rules.map((rule, index) => (
            <li key={rule.id} className={classes.item} {...drag.itemProps(index)}>
              <RuleCard
                rule={rule}
                place={index + 1}
                count={rules.length}
                chain={chain}
                problemAt={(part) => editor.problemAt(`rules[${index}].${part}`)}
                handleProps={drag.handleProps(index)}
                onChange={(change) => editor.edit({ type: "setRule", id: rule.id, change })}
                onMove={(to) => move(rule, to)}
                onRemove={() => remove(rule)}
              />
            </li>
          ))}
        </ol>
      )}
      <InsertMenu
        label="Add rule"
        icon={<IconPlus size={14} aria-hidden />}
        variant="default"
        title="Add rule (R)"
        heading="Begin with an example"
        width={340}
        items={EXAMPLES}
        onPick={add}
        buttonRef={addButton}
        data-testid="route-add-rule"
      >
        {({ name, when }) => (
          <span className={classes.example}>
            <span>{name}</span>
            <code>{when}</code>
          </span>
        )}
      </InsertMenu>
      {editor.problemAt("rules") === undefined ? null : (
        <p className={classes.problem} role="alert">
          {editor.problemAt("rules")}
        </p>
      )}
      <span className="visually-hidden" aria-live="polite" data-testid="rules-spoken">
        {spoken}
      </span>
    </>
  );
}
