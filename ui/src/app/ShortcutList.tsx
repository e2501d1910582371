import { Modal } from "@mantine/core";
import { displayKeys, useActiveShortcuts } from "@/lib/shortcuts";
import classes from "./Shell.module.css";

type Props = { opened: boolean; onClose: () => void };

/** The keys that work here and now: the shell's and this page's. */
export function ShortcutList({ opened, onClose }: Props) {
  const groups = useActiveShortcuts();
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" size="lg">
      <div className={classes.shortcuts} data-testid="shortcut-list">
        {groups
          .filter((group) => group.shortcuts.length > 0)
          .map((group) => (
            <section key={group.title}>
              <h3>{group.title}</h3>
              {group.shortcuts.map((shortcut) => (
                <div key={shortcut.keys} className={classes.shortcut}>
                  <span>{shortcut.label}</span>
                  <kbd className={classes.kbd}>{displayKeys(shortcut.keys)}</kbd>
                </div>
              ))}
            </section>
          ))}
      </div>
    </Modal>
  );
}
