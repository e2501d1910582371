import { Tooltip } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { openAlertsQueryOptions } from "@/api/queries";
import { plural } from "@/lib/numbers";
import classes from "./AlertsBell.module.css";

/** More are shown as this many and a plus. */
const COUNT_MAX = 99;

/** How many alerts are open; leads to the inbox. */
export function AlertsBell() {
  const open = useQuery(openAlertsQueryOptions()).data;
  const count = open ? open.info + open.warning + open.critical : 0;
  const worst = open?.critical ? "critical" : open?.warning ? "warning" : "info";
  const words =
    count === 0
      ? "Alerts, none open"
      : `Alerts, ${plural(count, "open alert")}${worst === "info" ? "" : `, the worst is ${worst}`}`;
  return (
    <Tooltip label={words}>
      <Link
        to="/alerts"
        className={classes.bell}
        aria-label={words}
        data-worst={worst}
        data-testid="alerts-bell"
      >
        <IconBell size={16} stroke={1.75} aria-hidden />
        {count === 0 ? null : (
          <span className={classes.count} data-testid="alerts-bell-count">
            {count > COUNT_MAX ? `${COUNT_MAX}+` : count}
          </span>
        )}
      </Link>
    </Tooltip>
  );
}
