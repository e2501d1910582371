import { Button, FileButton, Progress, Textarea } from "@mantine/core";
import { IconFileImport } from "@tabler/icons-react";
import type { UseMutationResult } from "@tanstack/react-query";
import { type DragEvent, useState } from "react";
import type { PriceImportPreview } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { ExternalLink } from "@/components/ExternalLink";
import { formatCount } from "@/lib/numbers";
import { LIST_BYTES_MAX } from "../importChoice";
import classes from "../prices.module.css";
import { Waiting } from "./Waiting";

const BYTES_PER_KB = 1_000;

type Props = { read: UseMutationResult<PriceImportPreview, Error, string> };

/** A file or pasted text. The page reads it and hands its text over; nothing changes by that. */
export function ImportStart({ read }: Props) {
  const [text, setText] = useState("");
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [size, setSize] = useState(0);
  const send = (list: string) => {
    setSize(list.length);
    read.mutate(list);
  };
  const take = async (file: File | null | undefined) => {
    setProblem(undefined);
    read.reset();
    if (!file) return;
    if (file.size > LIST_BYTES_MAX) {
      setProblem(
        `${file.name} has ${formatCount(Math.round(file.size / BYTES_PER_KB))} KB; ${formatCount(Math.round(LIST_BYTES_MAX / BYTES_PER_KB))} KB are read at most.`,
      );
      return;
    }
    try {
      send(await file.text());
    } catch (error) {
      setProblem(
        `${file.name} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  if (read.isPending) {
    return (
      <Waiting>
        <section className={classes.reading} role="status" data-testid="import-reading">
          <p>
            Comparing {formatCount(Math.max(Math.round(size / BYTES_PER_KB), 1))} KB with the prices
            in force…
          </p>
          <Progress value={100} striped animated aria-label="Comparing" />
          <div>
            <Button variant="default" size="compact-sm" onClick={() => read.reset()}>
              Cancel
            </Button>
          </div>
        </section>
      </Waiting>
    );
  }
  return (
    <div className={classes.start}>
      <p className="muted">
        Takes over prices from the two public lists: LiteLLM's{" "}
        <ExternalLink href="https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json">
          model_prices_and_context_window.json
        </ExternalLink>{" "}
        and{" "}
        <ExternalLink href="https://github.com/pydantic/genai-prices">genai-prices</ExternalLink>.
        You see every difference first and choose; nothing is taken over by itself.
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- dropping is an extra way; the button inside does the same */}
      <div
        className={classes.drop}
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <FileButton
          onChange={(file) => void take(file)}
          accept="application/json,.json"
          inputProps={{ "data-testid": "import-file", "aria-label": "Price list" } as object}
        >
          {(props) => (
            <Button
              {...props}
              leftSection={<IconFileImport size={14} aria-hidden />}
              data-testid="import-choose"
            >
              Choose a file
            </Button>
          )}
        </FileButton>
        <p>or drop it here</p>
      </div>
      <Textarea
        label="Or paste the list"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        minRows={6}
        maxRows={12}
        rows={6}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--font-mono)", fontSize: 12 } }}
        data-testid="import-text"
      />
      <div>
        <Button
          variant="default"
          disabled={text.trim() === ""}
          onClick={() => {
            setProblem(undefined);
            send(text);
          }}
          data-testid="import-compare"
        >
          Compare
        </Button>
      </div>
      {problem === undefined ? null : (
        <p className={classes.problem} role="alert">
          {problem}
        </p>
      )}
      {read.error ? (
        <ErrorState title="The price list was not read" error={read.error} compact />
      ) : null}
    </div>
  );
}
