import { Button, Select, TextInput } from "@mantine/core";
import { IconPlus, IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { fieldErrors } from "@/api/call";
import type { Person } from "@/bindings";
import { ConfirmButton } from "@/components/ConfirmButton";
import { ErrorState } from "@/components/ErrorState";
import { Panel } from "@/components/Panel";
import { RelativeTime } from "@/components/RelativeTime";
import { Skeleton } from "@/components/Skeletons";
import { StatusBadge } from "@/components/StatusBadge";
import { notifySuccess } from "@/lib/notices";
import { addPersonMutationOptions, updatePersonMutationOptions } from "../mutations";
import { peopleQueryOptions } from "../queries";
import page from "../SettingsPage.module.css";
import classes from "./PeoplePanel.module.css";

const ROLES = [
  { value: "viewer", label: "Viewer: looks" },
  { value: "operator", label: "Operator: looks, tests, drills" },
  { value: "admin", label: "Admin: changes things" },
];

/** Who may come in, and what they may do. */
export function PeoplePanel() {
  const people = useQuery(peopleQueryOptions());
  return (
    <Panel
      title={
        <span className={page.head}>
          <IconUsers size={16} stroke={1.75} aria-hidden />
          People
        </span>
      }
      flush
      data-testid="settings-people"
    >
      <p className={classes.note}>
        Others say who they are with <code>--as NAME</code> or <code>SIGNALBOX_PERSON</code>. The
        history names them; their role says what they may do. Whoever can open the database can take
        any name.
      </p>
      {people.isPending ? (
        <Skeleton label="the people" shape="rows" rows={3} />
      ) : people.data === undefined ? (
        <ErrorState
          title="The people could not be read"
          error={people.error}
          onRetry={() => void people.refetch()}
          compact
        />
      ) : (
        <ul className={classes.list} aria-label="People">
          {people.data.map((person) => (
            <PersonRow key={person.name} person={person} />
          ))}
        </ul>
      )}
      <AddPerson />
    </Panel>
  );
}

function PersonRow({ person }: { person: Person }) {
  const update = useMutation(updatePersonMutationOptions());
  const change = (patch: { role?: string; enabled?: boolean }) =>
    update.mutate({
      name: person.name,
      role: patch.role ?? null,
      enabled: patch.enabled ?? null,
      reason: null,
    });
  const fixed = person.fixed !== null;
  return (
    <li className={classes.row} data-testid={`person-${person.name}`}>
      <span className={classes.name}>
        <strong className="ellipsis">{person.name}</strong>
        {person.is_you ? <StatusBadge tone="info">You</StatusBadge> : null}
        {person.enabled ? null : <StatusBadge tone="neutral">Shut out</StatusBadge>}
      </span>
      <span className="muted">
        since <RelativeTime value={person.created_at} />
      </span>
      <Select
        aria-label={`Role of ${person.name}`}
        data={ROLES}
        value={person.role}
        allowDeselect={false}
        disabled={fixed || update.isPending}
        title={person.fixed ?? ""}
        onChange={(role) => {
          if (role !== null && role !== person.role) change({ role });
        }}
      />
      <span className={classes.action}>
        {fixed ? null : person.enabled ? (
          <ConfirmButton
            label="Shut out"
            title={`Shut ${person.name} out?`}
            consequence="They may no longer come in. What they did stays in the history under their name."
            verb="Shut out"
            disabled={update.isPending}
            onConfirm={() => change({ enabled: false })}
            data-testid={`person-disable-${person.name}`}
          />
        ) : (
          <Button
            variant="subtle"
            size="compact-sm"
            loading={update.isPending}
            onClick={() => change({ enabled: true })}
          >
            Let in again
          </Button>
        )}
      </span>
    </li>
  );
}

function AddPerson() {
  const add = useMutation(addPersonMutationOptions());
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "" || add.isPending) return;
    add.mutate(
      { name: name.trim(), role, reason: null },
      {
        onSuccess: (added) => {
          setName("");
          if (added) notifySuccess(`${added.name} may come in`, `As ${added.role}.`);
        },
      },
    );
  };
  const error = add.error ? (fieldErrors(add.error)["name"] ?? add.error.message) : null;
  return (
    <form className={classes.add} onSubmit={submit}>
      <TextInput
        label="Name"
        description="Lower-case letters, digits and . - _ @. It stays for good."
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value);
          if (add.error) add.reset();
        }}
        error={error}
        data-testid="person-name"
      />
      <Select
        label="Role"
        data={ROLES}
        value={role}
        allowDeselect={false}
        onChange={(next) => setRole(next ?? "viewer")}
      />
      <Button
        type="submit"
        variant="default"
        h={32}
        leftSection={<IconPlus size={14} aria-hidden />}
        loading={add.isPending}
        disabled={name.trim() === ""}
        data-testid="person-add"
      >
        Let in
      </Button>
    </form>
  );
}
