import { spotlight } from "@mantine/spotlight";
import { useRouter } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { pickRange } from "@/lib/timeRange";
import { askKillSwitch } from "@/lib/killSwitch";
import { preferences, setPreferences } from "@/lib/preferences";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { SCREENS } from "./commands";
import { useThemeChoice } from "./useThemeChoice";

/** The shortcuts that work on every screen. */
export function useShellShortcuts() {
  const router = useRouter();
  const theme = useThemeChoice();
  const [listOpened, setListOpened] = useState(false);

  const go = useMemo<Shortcut[]>(
    () =>
      SCREENS.map((screen) => ({
        keys: `g ${screen.goKey.toLowerCase()}`,
        label: screen.title,
        run: () => {
          const search = pickRange(router.state.location.search);
          void router.navigate({ to: screen.to, search });
        },
      })),
    [router],
  );
  const { cycle } = theme;
  const general = useMemo<Shortcut[]>(
    () => [
      { keys: "mod+k", label: "Search pages and actions", run: () => spotlight.toggle() },
      { keys: "?", label: "Show keyboard shortcuts", run: () => setListOpened(true) },
      {
        keys: "mod+b",
        label: "Collapse or expand the sidebar",
        run: () => setPreferences({ sidebarCollapsed: !preferences().sidebarCollapsed }),
      },
      {
        keys: "z",
        label: "Switch between local time and UTC",
        run: () => setPreferences({ zone: preferences().zone === "utc" ? "local" : "utc" }),
      },
      {
        keys: "mod+shift+k",
        label: "Kill switch: stop all AI traffic, or let it run again",
        run: () => askKillSwitch("keyboard"),
      },
      { keys: "mod+j", label: "Switch theme (light, dark, system)", run: cycle },
    ],
    [cycle],
  );
  useShortcuts("Go to", go);
  useShortcuts("Anywhere", general);

  const all = useMemo(() => [...general], [general]);
  return { all, listOpened, closeList: () => setListOpened(false) };
}
