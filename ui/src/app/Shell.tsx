import { Outlet } from "@tanstack/react-router";
import { useShellShortcuts } from "./useShellShortcuts";
import { CommandPalette } from "./CommandPalette";
import { Header } from "./Header";
import { KillSwitchBanner } from "./KillSwitchBanner";
import { KillSwitchDialog } from "./KillSwitchDialog";
import classes from "./Shell.module.css";
import { ShortcutList } from "./ShortcutList";
import { Sidebar } from "./Sidebar";
import { StatusBar } from "./StatusBar";

/** The window: sidebar, header, the screen, status bar, and what floats above them. */
export function Shell() {
  const shortcuts = useShellShortcuts();
  return (
    <div className={classes.window}>
      <a className={classes.skip} href="#content" onClick={focusContent}>
        Skip to content
      </a>
      <KillSwitchBanner />
      <Sidebar />
      <Header />
      <main id="content" className={classes.content} tabIndex={-1}>
        <Outlet />
      </main>
      <StatusBar />
      <CommandPalette shortcuts={shortcuts.all} />
      <KillSwitchDialog />
      <ShortcutList opened={shortcuts.listOpened} onClose={shortcuts.closeList} />
    </div>
  );
}

/** The address is owned by the router, so the jump is made by hand. */
function focusContent(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
