import { TextInput } from "@mantine/core";
import { IconCheck, IconKeyOff, IconPlus, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { providerPresetsQueryOptions } from "@/api/queries";
import type { Provider, ProviderPreset } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { Skeleton } from "@/components/Skeletons";
import { StatusBadge } from "@/components/StatusBadge";
import { plural } from "@/lib/numbers";
import { hostOf, matchesPreset } from "../model";
import classes from "./AddProviderDialog.module.css";

type Props = {
  providers: readonly Provider[];
  /** Adds a new one; without a preset, a custom one. */
  onChoose: (preset: ProviderPreset | undefined) => void;
  /** It is there already and only lacks its key. */
  onConnect: (provider: Provider) => void;
};

/** Well-known providers, found by typing or looking, and anything else as a custom one. */
export function ChooseStep({ providers, onChoose, onConnect }: Props) {
  const presets = useQuery(providerPresetsQueryOptions());
  const [query, setQuery] = useState("");
  const grid = useRef<HTMLDivElement>(null);
  const shown = (presets.data ?? []).filter((preset) => matchesPreset(preset, query));
  const existing = (preset: ProviderPreset) =>
    providers.find((provider) => provider.name === preset.name);
  const choose = (preset: ProviderPreset) => {
    const there = existing(preset);
    if (there?.credential.state === "missing") onConnect(there);
    else onChoose(preset);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 2, ArrowUp: -2, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const buttons = [...(grid.current?.querySelectorAll("button") ?? [])];
    const index = buttons.findIndex((button) => button === document.activeElement);
    if (index < 0 && event.key !== "ArrowDown") return;
    event.preventDefault();
    buttons[index < 0 ? 0 : Math.min(Math.max(index + by, 0), buttons.length - 1)]?.focus();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- arrow keys are an extra way between the buttons inside
    <div className={classes.choose} onKeyDown={onKeyDown}>
      <TextInput
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          const [first] = shown;
          if (first && query.trim() !== "") choose(first);
        }}
        placeholder="Search providers"
        aria-label="Search providers"
        leftSection={<IconSearch size={14} aria-hidden />}
        data-autofocus
        data-testid="preset-search"
      />
      {presets.isPending ? (
        <Skeleton label="the known providers" shape="rows" rows={8} />
      ) : presets.error ? (
        <ErrorState
          title="The known providers could not be read"
          error={presets.error}
          onRetry={() => void presets.refetch()}
          compact
        />
      ) : null}
      <div className={classes.grid} ref={grid}>
        {shown.map((preset) => (
          <Tile
            key={preset.name}
            id={preset.name}
            title={preset.label}
            mark={<Mark provider={existing(preset)} />}
            onClick={() => choose(preset)}
          >
            <span className="ellipsis">{hostOf(preset.base_url)}</span>
            <span className="ellipsis">{offer(preset)}</span>
          </Tile>
        ))}
        <Tile
          id="custom"
          title="Custom"
          mark={<IconPlus size={14} aria-hidden />}
          onClick={() => onChoose(undefined)}
        >
          <span className="ellipsis">Any compatible server</span>
          <span className="ellipsis">OpenAI or Anthropic protocol</span>
        </Tile>
      </div>
    </div>
  );
}

type TileProps = {
  id: string;
  title: string;
  mark: ReactNode;
  onClick: () => void;
  children: ReactNode;
};

function Tile({ id, title, mark, onClick, children }: TileProps) {
  return (
    <button type="button" className={classes.tile} onClick={onClick} data-testid={`preset-${id}`}>
      <span className={classes.tileHead}>
        <strong className="ellipsis">{title}</strong>
        {mark}
      </span>
      {children}
    </button>
  );
}

function Mark({ provider }: { provider: Provider | undefined }) {
  if (!provider) return null;
  return provider.credential.state === "missing" ? (
    <StatusBadge tone="warn" icon={IconKeyOff}>
      Needs its key
    </StatusBadge>
  ) : (
    <StatusBadge tone="ok" icon={IconCheck}>
      Added
    </StatusBadge>
  );
}

function offer(preset: ProviderPreset): string {
  if (preset.catalogue_models > 0) return plural(preset.catalogue_models, "priced model");
  return preset.needs_credential ? "Models are added by hand" : "No key needed, models by hand";
}
