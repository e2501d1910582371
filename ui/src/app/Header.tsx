import { spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useMatches } from "@tanstack/react-router";
import { displayKeys } from "@/lib/shortcuts";
import type { RangePreset } from "@/lib/timeRange";
import { AlertsBell } from "./AlertsBell";
import classes from "./Shell.module.css";
import { TimeRangePicker } from "./TimeRangePicker";

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** The name of the screen, in the header and as the window's `h1`. */
    title?: string;
    /** The section of the sidebar it stands in. */
    section?: string;
    /** Set when the screen reads the shared time range. */
    timeRange?: { fallback: RangePreset; allowAll: boolean };
  }
}

export function Header() {
  const page = useMatches().at(-1)?.staticData;
  return (
    <header className={classes.header}>
      <div className={classes.crumbs}>
        {page?.section ? (
          <>
            <span className={classes.hideNarrow}>{page.section}</span>
            <span className={classes.hideNarrow} aria-hidden>
              /
            </span>
          </>
        ) : null}
        <h1 className="ellipsis">{page?.title ?? "Signalbox"}</h1>
      </div>
      {page?.timeRange ? <TimeRangePicker {...page.timeRange} /> : null}
      <AlertsBell />
      <button
        type="button"
        className={classes.search}
        onClick={() => spotlight.open()}
        data-testid="open-palette"
        title="Search pages and actions"
      >
        <IconSearch size={14} aria-hidden />
        <span className={classes.quietNarrow}>Search</span>
        <kbd className={classes.kbd}>{displayKeys("mod+k")}</kbd>
      </button>
    </header>
  );
}
