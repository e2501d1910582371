import { Button, Menu } from "@mantine/core";
import { IconBraces, IconDownload, IconTable } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import type { HistoryFormat } from "@/bindings";
import { plural } from "@/lib/numbers";
import { isUnfiltered, type Where } from "../model";
import { exportChangesMutationOptions } from "../mutations";
import { changesCountQueryOptions } from "../queries";

type Props = { where: Where; opened: boolean; onChange: (opened: boolean) => void };

/** Writes the filtered history to a file in Downloads. The menu says first how much and what will be in it. */
export function ExportMenu({ where, opened, onChange }: Props) {
  const exporting = useMutation(exportChangesMutationOptions());
  const count = useQuery({ ...changesCountQueryOptions(where), enabled: opened }).data;
  const run = (format: HistoryFormat) => exporting.mutate({ where, format });
  const rows =
    count === undefined
      ? "the changes"
      : `${plural(count, "change")}${isUnfiltered(where) ? "" : " (as filtered)"}`;
  return (
    <Menu opened={opened} onChange={onChange} position="bottom-end" width={320} returnFocus>
      <Menu.Target>
        <Button
          variant="default"
          h={32}
          leftSection={<IconDownload size={14} aria-hidden />}
          loading={exporting.isPending}
          title="Export (E)"
          data-testid="changes-export"
        >
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label data-testid="changes-export-rows">
          Writes {rows} to your Downloads folder: time, who, what, why, before and after, and the
          hashes that chain the entries. No credentials, no keys.
        </Menu.Label>
        <Menu.Item
          leftSection={<IconBraces size={16} aria-hidden />}
          onClick={() => run("json")}
          data-testid="changes-export-json"
        >
          JSON (.json)
        </Menu.Item>
        <Menu.Item
          leftSection={<IconTable size={16} aria-hidden />}
          onClick={() => run("csv")}
          data-testid="changes-export-csv"
        >
          Spreadsheet (.csv)
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
