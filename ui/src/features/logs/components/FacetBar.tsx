import { Menu, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconFlask, IconX } from "@tabler/icons-react";
import type { Facet, Facets } from "@/bindings";
import { RequestStatusBadge } from "@/components/StatusBadge";
import { formatCompact, formatCount } from "@/lib/numbers";
import { type LogFilter, PRICINGS, STATUSES } from "../query";
import { PRICING_WORDS } from "../cost";
import classes from "@/components/FilterChips.module.css";

type Props = {
  facets: Facets | undefined;
  filter: LogFilter;
  onChange: (patch: LogFilter) => void;
};

/** One click per common filter, with how many requests each value has. */
export function FacetBar({ facets, filter, onChange }: Props) {
  return (
    <div className={classes.bar} role="group" aria-label="Filters">
      {STATUSES.map((status) => {
        const active = filter.status === status;
        const count = facets?.statuses.find((facet) => facet.value === status)?.count ?? 0;
        return (
          <UnstyledButton
            key={status}
            className={classes.chip}
            data-active={active}
            aria-pressed={active}
            title={`${formatCount(count)} in the whole log`}
            onClick={() => onChange({ status: active ? undefined : status })}
            data-testid={`facet-status-${status}`}
          >
            <RequestStatusBadge status={status} />
            <span className={classes.count}>{formatCompact(count)}</span>
          </UnstyledButton>
        );
      })}
      <span className={classes.divider} aria-hidden />
      <FacetMenu
        label="Operation"
        facets={facets?.operations}
        value={filter.operation}
        onChange={(operation) => onChange({ operation })}
      />
      <FacetMenu
        label="Provider"
        facets={facets?.providers}
        value={filter.provider}
        onChange={(provider) => onChange({ provider })}
      />
      <FacetMenu
        label="Model"
        facets={facets?.models}
        value={filter.model}
        onChange={(model) => onChange({ model })}
      />
      <FacetMenu
        label="Cost"
        facets={PRICINGS.map((value) => ({ value, label: PRICING_WORDS[value].word }))}
        value={filter.cost_status}
        onChange={(value) =>
          onChange({ cost_status: PRICINGS.find((pricing) => pricing === value) })
        }
      />
      <UnstyledButton
        className={classes.chip}
        data-active={filter.simulated !== undefined}
        aria-label={`Simulated requests: ${filter.simulated === undefined ? "shown" : filter.simulated ? "only these" : "hidden"}`}
        title="Shown → only simulated → hidden"
        onClick={() =>
          onChange({
            simulated: filter.simulated === undefined ? true : filter.simulated ? false : undefined,
          })
        }
        data-testid="facet-simulated"
      >
        <IconFlask size={14} aria-hidden />
        {filter.simulated === undefined
          ? "Simulated"
          : filter.simulated
            ? "Only simulated"
            : "No simulated"}
      </UnstyledButton>
    </div>
  );
}

type MenuProps = {
  label: string;
  facets: readonly (Omit<Facet, "count"> & { count?: number; label?: string })[] | undefined;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
};

function FacetMenu({ label, facets: asked, value, onChange }: MenuProps) {
  const facets = asked ?? [];
  const chosen = facets.find((facet) => facet.value === value)?.label ?? value;
  return (
    <span className={classes.pair}>
      <Menu position="bottom-start" returnFocus>
        <Menu.Target>
          <UnstyledButton
            className={classes.chip}
            data-active={value !== undefined}
            data-testid={`facet-${label.toLowerCase()}`}
          >
            {value === undefined ? label : `${label}: ${chosen}`}
            {value === undefined ? <IconChevronDown size={12} aria-hidden /> : null}
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown className={classes.menu}>
          {facets.length === 0 ? <Menu.Item disabled>Nothing logged yet</Menu.Item> : null}
          {facets.map((facet) => (
            <Menu.Item
              key={facet.value}
              role="menuitemradio"
              aria-checked={facet.value === value}
              rightSection={
                facet.count === undefined ? null : (
                  <span className={classes.count}>{formatCount(facet.count)}</span>
                )
              }
              onClick={() => onChange(facet.value === value ? undefined : facet.value)}
            >
              {facet.label ?? <span className="mono">{facet.value}</span>}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {value === undefined ? null : (
        <UnstyledButton
          className={classes.remove}
          aria-label={`Remove the filter ${label}`}
          onClick={() => onChange(undefined)}
        >
          <IconX size={12} aria-hidden />
        </UnstyledButton>
      )}
    </span>
  );
}
