import {
  IconActivity,
  IconAdjustments,
  IconBell,
  IconBellCog,
  IconCoin,
  IconGavel,
  IconHistory,
  IconKey,
  IconListDetails,
  IconPlugConnected,
  IconRocket,
  IconRoute,
  IconToggleRight,
  IconWallet,
} from "@tabler/icons-react";
import type { LinkProps } from "@tanstack/react-router";
import type { ComponentType } from "react";
import type { Status } from "@/bindings";

/** A screen of the window: where it stands in the sidebar, and the keys that go there. */
export type Screen = {
  id: string;
  title: string;
  to: NonNullable<LinkProps["to"]>;
  /** Pressed after `G`. */
  goKey: string;
  section: "Watch" | "Decide" | "Route" | "Spend" | "Admin";
  icon: ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;
  /** Other words a person might search for. */
  keywords: string[];
  /** How many things wait there for a person; shown beside its name while there are any. */
  count?: (status: Status) => number;
};

export const SCREENS: readonly Screen[] = [
  {
    id: "overview",
    title: "Overview",
    to: "/overview",
    goKey: "O",
    section: "Watch",
    icon: IconActivity,
    keywords: ["dashboard", "spend", "cost", "home"],
  },
  {
    id: "logs",
    title: "Logs",
    to: "/logs",
    goKey: "L",
    section: "Watch",
    icon: IconListDetails,
    keywords: ["requests", "ledger", "traces"],
  },
  {
    id: "changes",
    title: "Change history",
    to: "/changes",
    goKey: "H",
    section: "Watch",
    icon: IconHistory,
    keywords: ["audit", "diff", "revert"],
  },
  {
    id: "approvals",
    title: "Approvals",
    to: "/approvals",
    goKey: "A",
    section: "Decide",
    icon: IconGavel,
    keywords: ["queue", "pending", "approve", "reject", "decide", "four eyes"],
    count: (status) => status.approvals_pending,
  },
  {
    id: "alerts",
    title: "Alerts",
    to: "/alerts",
    goKey: "E",
    section: "Watch",
    icon: IconBell,
    keywords: ["inbox", "warnings", "incidents", "bell"],
  },
  {
    id: "operations",
    title: "Operations",
    to: "/operations",
    goKey: "P",
    section: "Route",
    icon: IconRoute,
    keywords: ["routes", "targets", "failover", "chain"],
  },
  {
    id: "providers",
    title: "Providers",
    to: "/providers",
    goKey: "V",
    section: "Route",
    icon: IconPlugConnected,
    keywords: ["models", "credentials", "openai", "anthropic", "health", "failovers"],
  },
  {
    id: "prices",
    title: "Prices",
    to: "/prices",
    goKey: "M",
    section: "Route",
    icon: IconCoin,
    keywords: ["cost", "money", "rates", "catalogue", "import", "litellm", "unpriced"],
  },
  {
    id: "toggles",
    title: "Toggles",
    to: "/toggles",
    goKey: "T",
    section: "Route",
    icon: IconToggleRight,
    keywords: ["switch", "kill switch", "stop", "locked", "features", "payloads", "prompts"],
  },
  {
    id: "budgets",
    title: "Budgets",
    to: "/budgets",
    goKey: "B",
    section: "Spend",
    icon: IconWallet,
    keywords: ["limit", "spend", "cap", "reservation", "forecast", "refused", "overrun", "users"],
  },
  {
    id: "keys",
    title: "API keys",
    to: "/keys",
    goKey: "K",
    section: "Admin",
    icon: IconKey,
    keywords: ["token", "secret", "client"],
  },
  {
    id: "notifications",
    title: "Notifications",
    to: "/notifications",
    goKey: "N",
    section: "Admin",
    icon: IconBellCog,
    keywords: ["channels", "discord", "slack", "webhook", "mail", "quiet hours", "escalation"],
  },
  {
    id: "settings",
    title: "Settings",
    to: "/settings",
    goKey: ",",
    section: "Admin",
    icon: IconAdjustments,
    keywords: ["preferences", "options", "timeout", "circuit", "breaker", "payloads", "limits"],
  },
  {
    id: "first-run",
    title: "First run",
    to: "/first-run",
    goKey: "F",
    section: "Admin",
    icon: IconRocket,
    keywords: ["setup", "start", "connect", "getting started", "snippets"],
  },
];

export const SECTIONS = ["Watch", "Decide", "Route", "Spend", "Admin"] as const;
