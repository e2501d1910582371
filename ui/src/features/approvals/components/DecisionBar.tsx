import { Button, Chip, Group, Select, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconLock, IconX } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { displayKeys } from "@/lib/shortcuts";
import { plural } from "@/lib/numbers";
import type { ApprovalDetail, ApprovalRow } from "@/bindings";
import { type Desk, type Held, isTyped, type Stage } from "../desk";
import { approveWords, exactMoney, goneWords, questionWords, REASONS, totalCost } from "../model";
import { withdrawMutationOptions } from "../mutations";
import type { DeskHandle } from "../useDesk";
import classes from "./approvals.module.css";

type Props = { desk: Desk; does: DeskHandle["does"]; detail: ApprovalDetail; error: Error | null };

/** What can be done with what lies open: decide, confirm, or read why nothing can be done. */
export function DecisionBar({ desk, does, detail, error }: Props) {
  const { row } = detail;
  const gone = desk.gone.get(row.id);
  return (
    <footer className={classes.decide} aria-label="Decision" data-testid="approval-decision">
      {error ? (
        <p className={classes.problem} role="alert" data-testid="approval-problem">
          <IconAlertTriangle size={16} aria-hidden /> {error.message}
        </p>
      ) : null}
      {desk.stage.kind === "approving" && desk.stage.held.length > 1 ? (
        <ConfirmMany desk={desk} held={desk.stage.held} does={does} />
      ) : gone !== undefined || row.state !== "pending" ? (
        <Locked
          words={goneWords(gone ?? "left", row)}
          onReread={gone === "changed" ? () => does({ type: "reread" }) : undefined}
        />
      ) : desk.stage.kind === "approving" ? (
        <Confirm desk={desk} stage={desk.stage} detail={detail} does={does} />
      ) : desk.stage.kind === "rejecting" ? (
        <Reject detail={detail} does={does} />
      ) : desk.barred !== null ? (
        <Barred why={desk.barred} row={row} />
      ) : (
        <Choices desk={desk} detail={detail} does={does} />
      )}
      <p className={classes.note} role="status" data-testid="approval-note">
        {desk.note}
      </p>
    </footer>
  );
}

function Locked({ words, onReread }: { words: string; onReread: (() => void) | undefined }) {
  return (
    <div className={classes.locked} role="alert" data-testid="approval-locked">
      <IconLock size={16} aria-hidden />
      <span>{words}</span>
      {onReread ? (
        <Button variant="default" onClick={onReread} data-testid="approval-reread">
          I have read it
        </Button>
      ) : null}
    </div>
  );
}

/** Why this person may not decide; what they asked for themselves they can withdraw. */
function Barred({ why, row }: { why: string; row: ApprovalRow }) {
  const withdraw = useMutation(withdrawMutationOptions());
  return (
    <div className={classes.locked} data-testid="approval-barred">
      <IconLock size={16} aria-hidden />
      <span>{why}</span>
      {row.own ? (
        <Button
          variant="default"
          ml="auto"
          loading={withdraw.isPending}
          onClick={() => withdraw.mutate(row.id)}
          data-testid="approval-withdraw"
        >
          Withdraw it
        </Button>
      ) : null}
    </div>
  );
}

function Choices({ desk, detail, does }: Omit<Props, "error">) {
  const { row, other_targets: others } = detail;
  const sending = desk.stage.kind === "sending";
  return (
    <div className={classes.choices}>
      {others.length > 0 ? (
        <Select
          aria-label="Run it on"
          data={[
            { value: "", label: row.target === null ? "Target of its route" : row.target },
            ...others.map((value) => ({ value, label: `Instead on ${value}` })),
          ]}
          value={desk.target ?? ""}
          onChange={(value) => does({ type: "target", target: value === "" ? null : value })}
          w={260}
          data-testid="approval-target"
        />
      ) : null}
      <Group gap={8} ml="auto">
        <Button
          variant="default"
          disabled={sending}
          onClick={() => does({ type: "reject" })}
          rightSection={<Key keys="r" />}
          data-testid="approval-reject"
        >
          Reject…
        </Button>
        <Button
          loading={sending}
          onClick={() => does({ type: "approve" })}
          rightSection={<Key keys="a" />}
          data-testid="approval-approve"
        >
          Approve…
        </Button>
      </Group>
    </div>
  );
}

type ConfirmProps = {
  desk: Desk;
  stage: Extract<Stage, { kind: "approving" }>;
  detail: ApprovalDetail;
  does: DeskHandle["does"];
};

/** The question with its object and amount. Enter answers it; Cancel stands where Approve stood. */
function Confirm({ desk, stage, detail, does }: ConfirmProps) {
  const { row } = detail;
  const mustType = stage.wanted.length > 0;
  return (
    <Question
      words={questionWords(row, desk.target)}
      verb={approveWords(row)}
      label={`${approveWords(row)}: ${row.subject}, ${row.id}`}
      ready={isTyped(stage.typed, stage.wanted)}
      does={does}
    >
      {mustType ? (
        <Typed wanted={stage.wanted} onType={(text) => does({ type: "typed", text })} />
      ) : null}
    </Question>
  );
}

function ConfirmMany({
  desk,
  held,
  does,
}: {
  desk: Desk;
  held: readonly Held[];
  does: DeskHandle["does"];
}) {
  const papers = held.flatMap(({ id }) => desk.papers.get(id) ?? []);
  const total = exactMoney(totalCost(papers));
  return (
    <Question
      words={`Approve ${plural(held.length, "request")} that are alike, together up to ${total}?`}
      verb={`Approve ${held.length}, up to ${total}`}
      label={`Approve ${held.length} requests, together up to ${total}`}
      ready
      does={does}
    />
  );
}

type QuestionProps = {
  words: string;
  verb: string;
  /** Names the object for those who only hear the button. */
  label: string;
  ready: boolean;
  does: DeskHandle["does"];
  children?: ReactNode;
};

function Question({ words, verb, label, ready, does, children }: QuestionProps) {
  const answer = useRef<HTMLButtonElement>(null);
  const typing = children !== undefined && children !== null;
  // The answer is one Enter away, unless something has to be typed first.
  useEffect(() => {
    if (!typing) answer.current?.focus();
  }, [typing]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    does({ type: "confirm" });
  };
  return (
    <form className={classes.question} onSubmit={submit} data-testid="approval-question">
      <p>{words}</p>
      {children}
      <Group gap={8} ml="auto">
        <Button
          ref={answer}
          type="submit"
          leftSection={<IconCheck size={14} aria-hidden />}
          disabled={!ready}
          aria-label={label}
          data-testid="approval-confirm"
        >
          {verb}
        </Button>
        <Button
          variant="default"
          onClick={() => does({ type: "cancel" })}
          data-testid="approval-cancel"
        >
          Cancel
        </Button>
      </Group>
    </form>
  );
}

function Typed({ wanted, onType }: { wanted: readonly string[]; onType: (text: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  useFocusOnce(field);
  return (
    <TextInput
      ref={field}
      label={`Type ${wanted.join(" or ")} to approve`}
      onChange={(event) => onType(event.currentTarget.value)}
      autoComplete="off"
      spellCheck={false}
      data-testid="approval-typed"
    />
  );
}

function Reject({ detail, does }: { detail: ApprovalDetail; does: DeskHandle["does"] }) {
  const [chip, setChip] = useState<string | null>(null);
  const [text, setText] = useState("");
  const first = useRef<HTMLInputElement>(null);
  useFocusOnce(first);
  const reason = [chip, text.trim()].filter(Boolean).join(": ");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    does({ type: "confirm_reject", reason });
  };
  return (
    <form className={classes.question} onSubmit={submit} data-testid="approval-rejecting">
      <Chip.Group value={chip} onChange={setChip}>
        <div className={classes.chips} role="radiogroup" aria-label="Why it is rejected">
          {REASONS[detail.row.kind].map((known, index) => (
            <Chip
              key={known}
              value={known}
              size="xs"
              variant="outline"
              {...(index === 0 ? { ref: first } : {})}
              data-testid={`approval-reason-${index}`}
            >
              {known}
            </Chip>
          ))}
        </div>
      </Chip.Group>
      <TextInput
        aria-label="Reason in your own words"
        placeholder="In your own words; who asked reads it"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        maxLength={500}
        className={classes.reason}
        data-testid="approval-reason"
      />
      <Group gap={8} ml="auto">
        <Button
          type="submit"
          color="critical"
          leftSection={<IconX size={14} aria-hidden />}
          disabled={reason === ""}
          aria-label={`Reject ${detail.row.subject}, ${detail.row.id}`}
          data-testid="approval-confirm-reject"
        >
          Reject
        </Button>
        <Button variant="default" onClick={() => does({ type: "cancel" })}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}

function useFocusOnce(field: { readonly current: HTMLElement | null }): void {
  // The focus is outside of React; it goes there once, when the field appears.
  useEffect(() => {
    field.current?.focus();
  }, [field]);
}

function Key({ keys }: { keys: string }) {
  return (
    <kbd className={classes.key} aria-hidden>
      {displayKeys(keys)}
    </kbd>
  );
}
