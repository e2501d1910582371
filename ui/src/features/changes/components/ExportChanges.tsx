import { useMutation, useQuery } from "@tanstack/react-query";
import { ExportMenu } from "@/components/ExportMenu";
import { plural } from "@/lib/numbers";
import { isUnfiltered, type Where } from "../model";
import { exportChangesMutationOptions } from "../mutations";
import { changesCountQueryOptions } from "../queries";

type Props = { where: Where; opened: boolean; onChange: (opened: boolean) => void };

/** Writes the filtered history to a file. */
export function ExportChanges({ where, opened, onChange }: Props) {
  const exporting = useMutation(exportChangesMutationOptions());
  const count = useQuery({ ...changesCountQueryOptions(where), enabled: opened }).data;
  const rows =
    count === undefined
      ? "the changes"
      : `${plural(count, "change")}${isUnfiltered(where) ? "" : " (as filtered)"}`;
  return (
    <ExportMenu
      screen="changes"
      formats={["json", "csv"]}
      opened={opened}
      onChange={onChange}
      onExport={(format) => exporting.mutate({ where, format })}
      isExporting={exporting.isPending}
    >
      Writes {rows} to your Downloads folder: time, who, what, why, before and after, and the hashes
      that chain the entries. No credentials, no keys.
    </ExportMenu>
  );
}
