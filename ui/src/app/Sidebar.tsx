import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import {
  IconCheck,
  IconDeviceDesktop,
  IconLayoutSidebarLeftCollapse,
  IconLayoutSidebarLeftExpand,
  IconMoon,
  IconSun,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useRouterState } from "@tanstack/react-router";
import { statusQueryOptions } from "@/api/queries";
import { formatCompact } from "@/lib/numbers";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { pickRange } from "@/lib/timeRange";
import { SCREENS, SECTIONS, type Screen } from "./commands";
import { Logo } from "./Logo";
import classes from "./Shell.module.css";
import { THEME_CHOICES, useThemeChoice } from "./useThemeChoice";

/** Below this width the sidebar is icons only, whatever the preference says. */
const NARROW_WINDOW = "(max-width: 1000px)";

export function Sidebar() {
  const { sidebarCollapsed } = usePreferences();
  const narrow = useMediaQuery(NARROW_WINDOW, window.matchMedia(NARROW_WINDOW).matches);
  const collapsed = sidebarCollapsed || narrow;
  return (
    <nav className={classes.sidebar} data-collapsed={collapsed} aria-label="Screens">
      <div className={classes.brand}>
        <Logo />
        {collapsed ? null : "Signalbox"}
      </div>
      <div className={classes.nav}>
        {SECTIONS.map((section) => (
          <div key={section} role="group" aria-label={section}>
            <div className={classes.section} aria-hidden>
              {section}
            </div>
            {SCREENS.filter((screen) => screen.section === section).map((screen) => (
              <NavLink key={screen.id} screen={screen} collapsed={collapsed} />
            ))}
          </div>
        ))}
      </div>
      <div className={classes.foot}>
        <ThemeMenu />
        {narrow ? null : (
          <Tooltip label={`${collapsed ? "Expand" : "Collapse"} the sidebar`} position="right">
            <ActionIcon
              aria-label={`${collapsed ? "Expand" : "Collapse"} the sidebar`}
              onClick={() => setPreferences({ sidebarCollapsed: !sidebarCollapsed })}
              data-testid="sidebar-collapse"
            >
              {collapsed ? (
                <IconLayoutSidebarLeftExpand size={16} aria-hidden />
              ) : (
                <IconLayoutSidebarLeftCollapse size={16} aria-hidden />
              )}
            </ActionIcon>
          </Tooltip>
        )}
      </div>
    </nav>
  );
}

function NavLink({ screen, collapsed }: { screen: Screen; collapsed: boolean }) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const active = path === screen.to || path.startsWith(`${screen.to}/`);
  const Icon = screen.icon;
  const status = useQuery(statusQueryOptions()).data;
  const count = status === undefined ? 0 : (screen.count?.(status) ?? 0);
  const link = (
    <Link
      to={screen.to}
      search={(previous: Record<string, unknown>) => pickRange(previous)}
      className={classes.link}
      data-active={active}
      data-testid={`nav-${screen.id}`}
      aria-current={active ? "page" : undefined}
      aria-label={count > 0 ? `${screen.title} ${formatCompact(count)} waiting` : screen.title}
    >
      <Icon size={16} stroke={1.75} aria-hidden />
      {collapsed ? null : (
        <>
          {screen.title}{" "}
          <span className={classes.hint} aria-hidden>
            G {screen.goKey}
          </span>
        </>
      )}
      {count > 0 ? (
        <span className={classes.count} data-testid={`nav-${screen.id}-count`} aria-hidden>
          {formatCompact(count)}
        </span>
      ) : null}
    </Link>
  );
  if (!collapsed) return link;
  return (
    <Tooltip label={`${screen.title}  (G ${screen.goKey})`} position="right">
      {link}
    </Tooltip>
  );
}

function ThemeMenu() {
  const { choice, choose } = useThemeChoice();
  const Icon = choice === "light" ? IconSun : choice === "dark" ? IconMoon : IconDeviceDesktop;
  return (
    <Menu position="top-start" withinPortal>
      <Menu.Target>
        <ActionIcon aria-label="Theme" data-testid="theme-menu">
          <Icon size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Theme</Menu.Label>
        {THEME_CHOICES.map((option) => (
          <Menu.Item
            key={option.value}
            onClick={() => choose(option.value)}
            data-testid={`theme-${option.value}`}
            rightSection={
              choice === option.value ? <IconCheck size={14} aria-label="chosen" /> : null
            }
          >
            {option.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
