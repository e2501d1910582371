import type { KeyLimits } from "@/bindings";
import { NumberField } from "@/components/NumberField";
import { BYTES_PER_KIB } from "../model";
import classes from "./LimitFields.module.css";

type Props = {
  limits: KeyLimits;
  onChange: (limits: KeyLimits) => void;
  /** The message of a field, by the name the backend has for it. */
  errors: Readonly<Record<string, string>>;
};

/** The three limits of a key. What is left empty has none. */
export function LimitFields({ limits, onChange, errors }: Props) {
  return (
    <div className={classes.fields}>
      <NumberField
        label="Requests per minute"
        value={limits.requests_per_minute ?? null}
        placeholder="no limit"
        onChange={(requests_per_minute) => onChange({ ...limits, requests_per_minute })}
        error={errors["limits.requests_per_minute"]}
        data-testid="key-limit-rate"
      />
      <NumberField
        label="At the same time"
        value={limits.concurrent ?? null}
        placeholder="no limit"
        onChange={(concurrent) => onChange({ ...limits, concurrent })}
        error={errors["limits.concurrent"]}
        data-testid="key-limit-concurrent"
      />
      <NumberField
        label="Size of a request"
        value={limits.body_bytes ?? null}
        per={BYTES_PER_KIB}
        unit="KiB"
        placeholder="no limit"
        onChange={(body_bytes) => onChange({ ...limits, body_bytes })}
        error={errors["limits.body_bytes"]}
        data-testid="key-limit-size"
      />
    </div>
  );
}
