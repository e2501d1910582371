import { Button, Menu } from "@mantine/core";
import { IconBraces, IconDownload, IconTable } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** What a file can be written as, in words. */
const FORMATS = {
  json: { label: "JSON (.json)", icon: IconBraces },
  jsonl: { label: "JSON lines (.jsonl)", icon: IconBraces },
  csv: { label: "Spreadsheet (.csv)", icon: IconTable },
} as const;

type Props<Format extends keyof typeof FORMATS> = {
  formats: readonly Format[];
  opened: boolean;
  onChange: (opened: boolean) => void;
  onExport: (format: Format) => void;
  isExporting: boolean;
  /** How much will be written, and what of it. */
  children: ReactNode;
  /** Before each test id: "logs" gives `logs-export`. */
  screen: string;
};

/** Writes a list to a file in Downloads. The menu says first how much and what will be in it. */
export function ExportMenu<Format extends keyof typeof FORMATS>(props: Props<Format>) {
  const { formats, opened, onChange, onExport, isExporting, children, screen } = props;
  return (
    <Menu opened={opened} onChange={onChange} position="bottom-end" width={320} returnFocus>
      <Menu.Target>
        <Button
          variant="default"
          h={32}
          leftSection={<IconDownload size={14} aria-hidden />}
          loading={isExporting}
          title="Export (E)"
          data-testid={`${screen}-export`}
        >
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label data-testid={`${screen}-export-rows`}>{children}</Menu.Label>
        {formats.map((format) => {
          const { label, icon: Icon } = FORMATS[format];
          return (
            <Menu.Item
              key={format}
              leftSection={<Icon size={16} aria-hidden />}
              onClick={() => onExport(format)}
              data-testid={`${screen}-export-${format}`}
            >
              {label}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
