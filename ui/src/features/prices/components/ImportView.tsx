import { Button } from "@mantine/core";
import { IconArrowLeft, IconCircleCheck } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Change, PriceImportPreview, PriceImportResult } from "@/bindings";
import { Page } from "@/components/Page";
import { notifyUndo } from "@/lib/notices";
import { previewImportMutationOptions, undoPriceMutationOptions } from "../mutations";
import classes from "../prices.module.css";
import { ImportDiff } from "./ImportDiff";
import { ImportStart } from "./ImportStart";

type Done = { result: PriceImportResult; change: Change | undefined };

/** From a price list to the prices that are taken over: read, compare, choose, apply. */
export function ImportView() {
  const navigate = useNavigate({ from: "/prices" });
  const read = useMutation(previewImportMutationOptions());
  const undo = useMutation(undoPriceMutationOptions());
  const [done, setDone] = useState<Done>();
  const back = () => void navigate({ search: {} });
  const again = () => {
    setDone(undefined);
    read.reset();
  };
  const takeBack = (change: Change) => undo.mutateAsync(change.seq).catch(() => undefined);
  const applied = (made: Done | null) => {
    if (made === null) return back();
    setDone(made);
    const { change, result } = made;
    if (change?.revertible)
      notifyUndo("Prices are taken over", () => takeBack(change), result.sentence);
  };
  const preview: PriceImportPreview | undefined = done ? undefined : read.data;
  return (
    <Page
      id="price-import"
      layout="fill"
      toolbar={
        <>
          <Button
            variant="subtle"
            color="gray"
            h={32}
            leftSection={<IconArrowLeft size={14} aria-hidden />}
            onClick={back}
            data-testid="import-back"
          >
            Prices
          </Button>
          <strong>Import a price list</strong>
          <span className={classes.count}>{preview?.format}</span>
          <span className={classes.grow} />
          {preview ? (
            <Button variant="default" h={32} onClick={again} data-testid="import-other">
              Another list
            </Button>
          ) : null}
        </>
      }
    >
      {done ? (
        <section className={classes.done} data-testid="import-done">
          <IconCircleCheck size={24} color="var(--ok)" aria-hidden />
          <p>{done.result.sentence}</p>
          <p className="muted">What was charged before stays as it was.</p>
          <div className={classes.lead}>
            {done.change ? (
              <Link to="/changes" search={{ seq: done.change.seq }} data-testid="import-change">
                Its entry in the history
              </Link>
            ) : null}
            {done.change?.revertible ? (
              <Button
                variant="default"
                loading={undo.isPending}
                disabled={undo.isSuccess}
                onClick={() => {
                  if (done.change) void takeBack(done.change);
                }}
                data-testid="import-undo"
              >
                {undo.isSuccess ? "Taken back" : "Undo"}
              </Button>
            ) : null}
            <Button onClick={back}>Back to the prices</Button>
          </div>
        </section>
      ) : preview ? (
        <ImportDiff key={preview.token} preview={preview} onApplied={applied} onGone={again} />
      ) : (
        <ImportStart read={read} />
      )}
    </Page>
  );
}
