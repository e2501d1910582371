import { Button, Group, Modal, Stack } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { statusQueryOptions } from "@/api/queries";
import type { Toggle } from "@/bindings";
import { DayBars } from "@/charts/DayBars";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { consequenceOf, labelOf } from "../model";
import { setToggleMutationOptions } from "../mutations";
import classes from "../toggles.module.css";
import { OperationExceptions } from "./OperationExceptions";

/** A toggle: what holds now, who made it so, and, where somebody may, the way to the other. */
export function ToggleRow({ toggle }: { toggle: Toggle }) {
  return (
    <div
      className={classes.row}
      role="group"
      aria-label={labelOf(toggle.name)}
      data-testid={`toggle-${toggle.name}`}
    >
      <div className={classes.about}>
        <div className={classes.title}>
          <strong>{labelOf(toggle.name)}</strong>
          <code className={classes.name}>{toggle.name}</code>
        </div>
        <p>{toggle.effect}</p>
        {toggle.lock ? <p className={classes.muted}>{toggle.lock}</p> : null}
        {toggle.lock ? null : <Past toggle={toggle} />}
        {toggle.per_operation ? <OperationExceptions toggle={toggle} /> : null}
      </div>
      <div className={classes.control}>
        {toggle.lock ? (
          <span className={classes.locked} data-testid={`toggle-locked-${toggle.name}`}>
            <IconLock size={14} stroke={2} aria-hidden />
            Locked {toggle.enabled ? "on" : "off"}
          </span>
        ) : (
          <Switching toggle={toggle} />
        )}
      </div>
    </div>
  );
}

/** Who set it, how often it was flipped, and the way to each flip, where it can be taken back. */
function Past({ toggle }: { toggle: Toggle }) {
  return (
    <p className={classes.past}>
      {toggle.changed_by === null ? (
        "Nobody has set it."
      ) : (
        <span>
          Set by {toggle.changed_by} <RelativeTime value={toggle.changed_at} />
          {toggle.note ? `: ${toggle.note}` : ""}.
        </span>
      )}
      <DayBars one="flip" counts={toggle.flips} />
      <Link to="/changes" search={{ kind: "toggle", subject: toggle.name }}>
        History
      </Link>
    </p>
  );
}

function Switching({ toggle }: { toggle: Toggle }) {
  const [asks, setAsks] = useState(false);
  const set = useMutation(setToggleMutationOptions());
  const to = !toggle.enabled;
  // What was never set goes back to not being set.
  const before = toggle.changed_by === null ? null : toggle.enabled;
  const flip = () =>
    set.mutate({
      input: { name: toggle.name, operation: null, enabled: to, reason: null },
      before,
    });
  const needsQuestion = toggle.band === "safety" && to;
  const asksAdmin = useQuery(statusQueryOptions()).data?.four_eyes ?? false;
  return (
    <>
      <StatusBadge tone={toggle.enabled ? "ok" : "neutral"}>
        {toggle.enabled ? "On" : "Off"}
      </StatusBadge>
      <Button
        variant="default"
        size="compact-sm"
        loading={set.isPending}
        onClick={() => (needsQuestion ? setAsks(true) : flip())}
        data-testid={`toggle-flip-${toggle.name}`}
        aria-label={`Turn ${to ? "on" : "off"}: ${labelOf(toggle.name)}`}
      >
        {to ? (needsQuestion ? "Turn on…" : "Turn on") : "Turn off"}
      </Button>
      <Modal
        opened={asks}
        onClose={() => setAsks(false)}
        title={`Turn on “${labelOf(toggle.name)}”?`}
        size="md"
      >
        <Stack gap={16}>
          <p>{toggle.otherwise}</p>
          {consequenceOf(toggle.name) ? <p>{consequenceOf(toggle.name)}</p> : null}
          {asksAdmin ? <p>Another admin approves it first. Turning it off needs nobody.</p> : null}
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={() => setAsks(false)} data-autofocus>
              Cancel
            </Button>
            <Button
              onClick={() => {
                setAsks(false);
                flip();
              }}
              data-testid={`toggle-confirm-${toggle.name}`}
            >
              {asksAdmin ? "Ask for approval" : "Turn on"}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
