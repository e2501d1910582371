import { Button, Menu, Modal, Stack } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { IconChevronDown, IconClock } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import dayjs from "dayjs";
import { useMemo, useState } from "react";
import { useNow } from "@/lib/clock";
import { usePreferences } from "@/lib/preferences";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { formatClock } from "@/lib/time";
import {
  pickRange,
  RANGE_LABELS,
  RANGE_PRESETS,
  type RangePreset,
  type RangeSearch,
} from "@/lib/timeRange";

type Props = { fallback: RangePreset; allowAll: boolean };

/** The time range of the screen, kept in the URL. */
export function TimeRangePicker({ fallback, allowAll }: Props) {
  const search = pickRange(useSearch({ strict: false }));
  const navigate = useNavigate();
  const [opened, setOpened] = useState(false);
  const [customOpened, setCustomOpened] = useState(false);
  const shortcuts = useMemo<Shortcut[]>(
    () => [{ keys: "t", label: "Time range", run: () => setOpened(true) }],
    [],
  );
  useShortcuts("Time", shortcuts);

  const current = search.range ?? fallback;
  const choose = (range: RangeSearch) => {
    void navigate({
      to: ".",
      search: (previous: Record<string, unknown>) => ({
        ...previous,
        range: undefined,
        from: undefined,
        to: undefined,
        ...range,
      }),
    });
  };
  return (
    <>
      <Menu opened={opened} onChange={setOpened} position="bottom-end" returnFocus>
        <Menu.Target>
          <Button
            variant="default"
            size="compact-sm"
            h={28}
            leftSection={<IconClock size={14} aria-hidden />}
            rightSection={<IconChevronDown size={12} aria-hidden />}
            aria-label={`Time range: ${RANGE_LABELS[current]}`}
            data-testid="time-range"
          >
            <RangeLabel search={search} current={current} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {RANGE_PRESETS.filter(
            (preset) => preset !== "custom" && (allowAll || preset !== "all"),
          ).map((preset) => (
            <Menu.Item
              key={preset}
              role="menuitemradio"
              aria-checked={preset === current}
              rightSection={preset === current ? "✓" : null}
              onClick={() => choose(preset === fallback ? {} : { range: preset })}
              data-testid={`time-range-${preset}`}
            >
              {RANGE_LABELS[preset]}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setCustomOpened(true)} data-testid="time-range-custom">
            Custom range…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={customOpened}
        onClose={() => setCustomOpened(false)}
        title="Custom range"
        size="sm"
      >
        <CustomRangeForm
          initial={search}
          onApply={(range) => {
            choose(range);
            setCustomOpened(false);
          }}
        />
      </Modal>
    </>
  );
}

function RangeLabel({ search, current }: { search: RangeSearch; current: RangePreset }) {
  const { zone } = usePreferences();
  const now = useNow();
  if (current !== "custom" || !search.from || !search.to) return RANGE_LABELS[current];
  return `${formatClock(search.from, now, zone)} – ${formatClock(search.to, now, zone)}`;
}

type FormProps = { initial: RangeSearch; onApply: (range: RangeSearch) => void };

/** Times are entered in the computer's own zone and kept in UTC. */
function CustomRangeForm({ initial, onApply }: FormProps) {
  const [from, setFrom] = useState<string | null>(
    toField(initial.from) ?? dayjs().subtract(1, "day").format(FIELD),
  );
  const [to, setTo] = useState<string | null>(toField(initial.to) ?? dayjs().format(FIELD));
  const backwards = from !== null && to !== null && !dayjs(from).isBefore(dayjs(to));
  const complete = from !== null && to !== null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!complete || backwards) return;
        onApply({
          range: "custom",
          from: dayjs(from).toISOString(),
          to: dayjs(to).toISOString(),
        });
      }}
    >
      <Stack gap={12}>
        <DateTimePicker label="From (local time)" value={from} onChange={setFrom} />
        <DateTimePicker
          label="To (local time)"
          value={to}
          onChange={setTo}
          error={backwards ? "The end must be after the start." : null}
        />
        <Button type="submit" disabled={!complete || backwards} data-testid="time-range-apply">
          Show this range
        </Button>
      </Stack>
    </form>
  );
}

const FIELD = "YYYY-MM-DD HH:mm:ss";

function toField(iso: string | undefined): string | undefined {
  if (!iso) return undefined;
  const parsed = dayjs(iso);
  return parsed.isValid() ? parsed.format(FIELD) : undefined;
}
