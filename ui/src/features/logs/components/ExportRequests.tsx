import { useMutation } from "@tanstack/react-query";
import { ExportMenu } from "@/components/ExportMenu";
import { exportRequestsMutationOptions } from "../mutations";
import type { Where } from "../useLiveRequests";

type Props = {
  where: Where;
  /** How many rows that is, in words: "all 3,000 requests". */
  rows: string;
  opened: boolean;
  onChange: (opened: boolean) => void;
};

/** Writes the filtered requests to a file. */
export function ExportRequests({ where, rows, opened, onChange }: Props) {
  const exporting = useMutation(exportRequestsMutationOptions());
  return (
    <ExportMenu
      screen="logs"
      formats={["jsonl", "csv"]}
      opened={opened}
      onChange={onChange}
      onExport={(format) => exporting.mutate({ where, format })}
      isExporting={exporting.isPending}
    >
      Writes {rows} to your Downloads folder: time, operation, target, status, tokens, cost,
      latencies, attempts, key name, user. No prompts, no answers, no keys.
    </ExportMenu>
  );
}
