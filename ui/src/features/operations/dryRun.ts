/** The request of a dry run, as it is described in the form or taken from the log. */

import type { RequestRow, SimulatedRequest, Tag } from "@/bindings";
import { formatCount } from "@/lib/numbers";

export type DryRunForm = {
  kind: SimulatedRequest["kind"];
  message: string;
  input_tokens: number | null;
  max_output_tokens: number | null;
  has_images: boolean;
  has_tools: boolean;
  streamed: boolean;
  user: string;
  /** As typed: `team=research, ticket=T-1042`. */
  tags: string;
  /** The chosen earlier request. */
  request_id: string | null;
};

export const EMPTY_FORM: DryRunForm = {
  kind: "described",
  message: "",
  input_tokens: null,
  max_output_tokens: null,
  has_images: false,
  has_tools: false,
  streamed: false,
  user: "",
  tags: "",
  request_id: null,
};

/** What is sent; absent while no earlier request is chosen. */
export function toSimulatedRequest(form: DryRunForm): SimulatedRequest | undefined {
  if (form.kind === "past") {
    return form.request_id === null ? undefined : { kind: "past", request_id: form.request_id };
  }
  const { input_tokens, max_output_tokens, has_images, has_tools, streamed } = form;
  return {
    kind: "described",
    message: form.message === "" ? null : form.message,
    input_tokens,
    max_output_tokens,
    has_images,
    has_tools,
    streamed,
    user: form.user.trim() === "" ? null : form.user.trim(),
    tags: parseTags(form.tags).tags,
  };
}

/** Tags as typed, and what cannot be read of them. */
export function parseTags(text: string): { tags: Tag[]; problem?: string } {
  const tags = new Map<string, string>();
  const unread: string[] = [];
  for (const part of text.split(/[,\n]/)) {
    const [name = "", ...value] = part.split("=");
    if (part.trim() === "") continue;
    if (name.trim() === "" || value.length === 0) unread.push(part.trim());
    else tags.set(name.trim(), value.join("=").trim());
  }
  return {
    tags: [...tags].map(([name, value]) => ({ name, value })),
    ...(unread.length === 0 ? {} : { problem: `Write ${unread.join(", ")} as name=value.` }),
  };
}

/** An earlier request in a line of a list. */
export function pastRequestText(row: RequestRow): string {
  const target = row.provider === null ? "no target" : `${row.provider}/${row.model ?? ""}`;
  return `${formatCount(row.tokens_in)} tokens in · ${target}${row.user === null ? "" : ` · ${row.user}`}`;
}
