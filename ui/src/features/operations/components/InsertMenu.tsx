import { Button, Menu } from "@mantine/core";
import { type ReactNode, type RefObject, useRef } from "react";
import classes from "./RuleList.module.css";

type Props<Item> = {
  /** On the button. */
  label: string;
  icon: ReactNode;
  variant: "default" | "subtle";
  title?: string;
  /** Above the items. */
  heading?: string;
  width: number;
  items: readonly (Item & { name: string })[];
  children: (item: Item & { name: string }) => ReactNode;
  /** What it puts somewhere also takes the focus there. */
  onPick: (item: Item & { name: string }) => void;
  /** For who gives the focus back to it. */
  buttonRef?: RefObject<HTMLButtonElement | null>;
  "data-testid"?: string;
};

/** A button with a list of things to put somewhere. Closed without a choice, the focus goes back to the button. */
export function InsertMenu<Item>(props: Props<Item>) {
  const { label, icon, variant, title, heading, width, items, children, onPick } = props;
  const own = useRef<HTMLButtonElement>(null);
  const button = props.buttonRef ?? own;
  const picked = useRef(false);
  return (
    <Menu
      position="bottom-start"
      width={width}
      shadow="md"
      returnFocus={false}
      onClose={() => {
        const inside = document.activeElement?.closest('[role="menu"]');
        if (inside && !picked.current) button.current?.focus();
        picked.current = false;
      }}
    >
      <Menu.Target>
        <Button
          ref={button}
          variant={variant}
          {...(variant === "subtle" ? { color: "gray" } : {})}
          size={variant === "subtle" ? "compact-xs" : "compact-sm"}
          leftSection={icon}
          title={title}
          data-testid={props["data-testid"]}
        >
          {label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.list}>
        {heading === undefined ? null : <Menu.Label>{heading}</Menu.Label>}
        {items.map((item) => (
          <Menu.Item
            key={item.name}
            onClick={() => {
              picked.current = true;
              onPick(item);
            }}
          >
            {children(item)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
