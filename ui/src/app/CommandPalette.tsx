import { Spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import {
  IconAppWindow,
  IconArrowsExchange,
  IconClockHour4,
  IconCopy,
  IconFileImport,
  IconFlame,
  IconHandStop,
  IconKeyboard,
  IconLayoutSidebar,
  IconMoon,
  IconPlus,
  IconSearch,
  IconSend,
} from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { statusQueryOptions } from "@/api/queries";
import { notifyFailure, notifySuccess } from "@/lib/notices";
import { displayKeys, type Shortcut } from "@/lib/shortcuts";
import { pickRange } from "@/lib/timeRange";
import { platform } from "@/platform";
import { SCREENS } from "./commands";
import classes from "./Shell.module.css";

type Props = { shortcuts: readonly Shortcut[] };

const SHORTCUT_ICONS: Record<string, ReactNode> = {
  "?": <IconKeyboard size={16} aria-hidden />,
  "mod+b": <IconLayoutSidebar size={16} aria-hidden />,
  z: <IconClockHour4 size={16} aria-hidden />,
  "mod+shift+k": <IconHandStop size={16} aria-hidden />,
  "mod+j": <IconMoon size={16} aria-hidden />,
};

/** Every page and every action of the window, by name. */
export function CommandPalette({ shortcuts }: Props) {
  const router = useRouter();
  const client = useQueryClient();

  const copyBaseUrl = async () => {
    try {
      const status = await client.ensureQueryData(statusQueryOptions());
      await platform().copyText(status.base_url);
      notifySuccess("Base URL copied", status.base_url);
    } catch (error) {
      notifyFailure(
        "The base URL was not copied",
        error instanceof Error ? error.message : String(error),
      );
    }
  };

  const groups: SpotlightActionGroupData[] = [
    {
      group: "Pages",
      actions: SCREENS.map((screen) => ({
        id: `go-${screen.id}`,
        label: screen.title,
        keywords: screen.keywords,
        leftSection: <screen.icon size={16} aria-hidden />,
        rightSection: <Keys keys={`g ${screen.goKey}`} />,
        onClick: () => {
          const search = pickRange(router.state.location.search);
          void router.navigate({ to: screen.to, search });
        },
      })),
    },
    {
      group: "Actions",
      actions: [
        {
          id: "add-provider",
          label: "Add a provider",
          keywords: ["connect", "credential", "vendor"],
          leftSection: <IconPlus size={16} aria-hidden />,
          onClick: () => void router.navigate({ to: "/providers", search: { add: true } }),
        },
        {
          id: "drill",
          label: "Run a drill",
          keywords: ["outage", "failover", "simulator", "chaos", "rehearse"],
          leftSection: <IconFlame size={16} aria-hidden />,
          onClick: () => void router.navigate({ to: "/drills" }),
        },
        {
          id: "failovers",
          label: "Show the failovers",
          keywords: ["history", "hop", "circuit", "health"],
          leftSection: <IconArrowsExchange size={16} aria-hidden />,
          onClick: () => void router.navigate({ to: "/providers", search: { view: "failovers" } }),
        },
        {
          id: "import-prices",
          label: "Import a price list",
          keywords: ["litellm", "genai", "cost"],
          leftSection: <IconFileImport size={16} aria-hidden />,
          onClick: () => void router.navigate({ to: "/prices", search: { import: true } }),
        },
        {
          id: "quick-approve",
          label: "Open the quick-approve window",
          keywords: ["approvals", "small", "on top"],
          leftSection: <IconAppWindow size={16} aria-hidden />,
          onClick: () => void openQuickApprove(),
        },
        {
          id: "create-key",
          label: "Create an API key",
          keywords: ["token", "client"],
          leftSection: <IconPlus size={16} aria-hidden />,
          onClick: () => void router.navigate({ to: "/keys", search: { create: true } }),
        },
        {
          id: "send-test",
          label: "Send a test request",
          keywords: ["try", "hello", "first run"],
          leftSection: <IconSend size={16} aria-hidden />,
          onClick: () => void router.navigate({ to: "/first-run", search: { step: "send" } }),
        },
        {
          id: "copy-base-url",
          label: "Copy the base URL",
          keywords: ["address", "gateway", "endpoint"],
          leftSection: <IconCopy size={16} aria-hidden />,
          onClick: () => void copyBaseUrl(),
        },
        ...shortcuts
          .filter((shortcut) => shortcut.keys !== "mod+k")
          .map((shortcut) => ({
            id: shortcut.keys,
            label: shortcut.label,
            leftSection: SHORTCUT_ICONS[shortcut.keys],
            rightSection: <Keys keys={shortcut.keys} />,
            onClick: shortcut.run,
          })),
      ],
    },
  ];
  return (
    <Spotlight
      actions={groups}
      shortcut={null}
      highlightQuery
      scrollable
      maxHeight={440}
      nothingFound="No page or action has that name."
      searchProps={{
        leftSection: <IconSearch size={16} aria-hidden />,
        placeholder: "Search pages and actions",
        "aria-label": "Search pages and actions",
      }}
      data-testid="palette"
    />
  );
}

async function openQuickApprove() {
  const opened = await platform().commands.quickOpen();
  if (opened.status === "error") notifyFailure("The window was not opened", opened.error.message);
}

function Keys({ keys }: { keys: string }) {
  return <kbd className={classes.kbd}>{displayKeys(keys)}</kbd>;
}
