import { Button, Modal, Stack } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import dayjs from "dayjs";
import { useState } from "react";

const FIELD = "YYYY-MM-DD HH:mm:ss";

type Props = { opened: boolean; onClose: () => void; onChoose: (at: string) => void };

/** Asks for an instant. It is entered in the computer's own zone and kept in UTC. */
export function StateAtDialog({ opened, onClose, onChoose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title="The configuration at a time" size="sm">
      <Form onChoose={onChoose} />
    </Modal>
  );
}

function Form({ onChoose }: Pick<Props, "onChoose">) {
  const [at, setAt] = useState<string | null>(dayjs().subtract(1, "day").format(FIELD));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (at !== null) onChoose(dayjs(at).toISOString());
      }}
    >
      <Stack gap={12}>
        <DateTimePicker
          label="At (local time)"
          description="It is told from the history; nothing changes."
          value={at}
          onChange={setAt}
          maxDate={dayjs().format(FIELD)}
          withSeconds
          data-autofocus
        />
        <Button type="submit" disabled={at === null} data-testid="state-at-show">
          Show it
        </Button>
      </Stack>
    </form>
  );
}
