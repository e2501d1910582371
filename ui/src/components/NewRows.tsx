import { IconArrowUp } from "@tabler/icons-react";
import { formatCount, plural } from "@/lib/numbers";
import classes from "./LiveList.module.css";

type Props = {
  /** How many rows came in above what is read. */
  count: number;
  /** One row in a word, e.g. "change". */
  noun: string;
  onShow: () => void;
  "data-testid": string;
};

/** Says that rows came in above, without moving what somebody reads. */
export function NewRows({ count, noun, onShow, "data-testid": testId }: Props) {
  return (
    <>
      {count > 0 ? (
        <button type="button" className={classes.pill} onClick={onShow} data-testid={testId}>
          <IconArrowUp size={14} aria-hidden /> {formatCount(count)} new
        </button>
      ) : null}
      <span className="visually-hidden" role="status">
        {count > 0 ? `${plural(count, `new ${noun}`)} above` : ""}
      </span>
    </>
  );
}
