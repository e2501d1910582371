import { Button } from "@mantine/core";
import { IconCircleX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { statusQueryOptions } from "@/api/queries";
import { plural } from "@/lib/numbers";
import { displayKeys } from "@/lib/shortcuts";
import type { RouteEditor } from "../useRouteEditor";
import classes from "./RouteSheet.module.css";

/** What to do with the draft. */
export function DraftBar({ editor }: { editor: RouteEditor }) {
  const asks = useQuery(statusQueryOptions()).data?.four_eyes ?? false;
  const blocked = editor.conflict || editor.problems.length > 0;
  return (
    <div className={classes.bar} data-testid="draft-bar">
      <span className={classes.count} role="status">
        {plural(editor.changes, "change")}
        {editor.problems.length === 0 ? null : (
          <button
            type="button"
            className={classes.faults}
            onClick={() => editor.showPreview(true)}
            data-testid="draft-faults"
          >
            <IconCircleX size={14} aria-hidden />
            {plural(editor.problems.length, "fault")}
          </button>
        )}
      </span>
      <Button
        variant="subtle"
        color="gray"
        h={30}
        onClick={editor.discard}
        title={`Discard (${displayKeys("mod+shift+backspace")})`}
        data-testid="draft-discard"
      >
        Discard
      </Button>
      <Button
        variant="default"
        h={30}
        aria-expanded={editor.previewing}
        disabled={editor.conflict}
        onClick={() => editor.showPreview(!editor.previewing)}
        title={`Preview (${displayKeys("mod+shift+p")})`}
        data-testid="draft-preview"
      >
        {editor.previewing ? "Hide preview" : "Preview"}
      </Button>
      <Button
        h={30}
        loading={editor.applying}
        disabled={blocked}
        onClick={editor.apply}
        title={`${asks ? "Ask another admin" : "Apply"} (${displayKeys("mod+s")})`}
        data-testid="draft-apply"
      >
        {asks ? "Ask for approval" : "Apply"}
      </Button>
    </div>
  );
}
