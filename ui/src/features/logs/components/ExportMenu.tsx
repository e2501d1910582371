import { Button, Menu } from "@mantine/core";
import { IconBraces, IconDownload, IconTable } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { ExportFormat } from "@/bindings";
import { exportRequestsMutationOptions } from "../mutations";
import type { Where } from "../useLiveRequests";

type Props = {
  where: Where;
  /** How many rows that is, in words: "all 3,000 requests". */
  rows: string;
  opened: boolean;
  onChange: (opened: boolean) => void;
};

/** Writes the filtered requests to a file in Downloads. The menu says first what will be in it. */
export function ExportMenu({ where, rows, opened, onChange }: Props) {
  const exporting = useMutation(exportRequestsMutationOptions());
  const run = (format: ExportFormat) => exporting.mutate({ where, format });
  return (
    <Menu opened={opened} onChange={onChange} position="bottom-end" width={320} returnFocus>
      <Menu.Target>
        <Button
          variant="default"
          h={32}
          leftSection={<IconDownload size={14} aria-hidden />}
          loading={exporting.isPending}
          data-testid="logs-export"
        >
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          Writes {rows} to your Downloads folder: time, operation, target, status, tokens, cost,
          latencies, attempts, key name, user. No prompts, no answers, no keys.
        </Menu.Label>
        <Menu.Item
          leftSection={<IconBraces size={16} aria-hidden />}
          onClick={() => run("jsonl")}
          data-testid="logs-export-jsonl"
        >
          JSON lines (.jsonl)
        </Menu.Item>
        <Menu.Item
          leftSection={<IconTable size={16} aria-hidden />}
          onClick={() => run("csv")}
          data-testid="logs-export-csv"
        >
          Spreadsheet (.csv)
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
