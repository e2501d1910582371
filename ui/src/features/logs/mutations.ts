import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { ExportFormat } from "@/bindings";
import { formatCount } from "@/lib/numbers";
import { notifySuccess } from "@/lib/notices";
import { platform } from "@/platform";
import { toRequestFilter } from "./query";
import { spanOf, type Where } from "./useLiveRequests";

type Input = { where: Where; format: ExportFormat };

export function exportRequestsMutationOptions() {
  return mutationOptions({
    mutationFn: ({ where, format }: Input) =>
      call(
        platform().commands.requestsExport(
          toRequestFilter(where.filter, spanOf(where.range)),
          format,
        ),
      ),
    onSuccess: (exported) => {
      notifySuccess(`${formatCount(exported.rows)} requests exported`, exported.path);
    },
    meta: { failureTitle: "The requests were not exported" },
  });
}
