import { Select, Tabs } from "@mantine/core";
import { useState } from "react";
import { CopyButton } from "@/components/CopyButton";
import { MonoBox } from "@/components/MonoBox";
import { KEY_VARIABLE, type Language, snippets } from "@/lib/snippets";
import classes from "./Snippets.module.css";

type Props = {
  /** The address programs use, with `/v1`. */
  baseUrl: string;
  /** Operations to choose from, the first one first. */
  operations: readonly string[];
};

const FALLBACK_OPERATION = "chat_message";
/** As high as the longest snippet, so that switching moves nothing. */
const CODE_PX = 198;

/** A first request in the language of one's program, with this gateway's address. */
export function Snippets({ baseUrl, operations }: Props) {
  const [language, setLanguage] = useState<Language>("curl");
  const [chosen, setChosen] = useState<string>();
  const operation =
    chosen !== undefined && operations.includes(chosen)
      ? chosen
      : (operations[0] ?? FALLBACK_OPERATION);
  const all = snippets(baseUrl, operation);
  const current = all.find((snippet) => snippet.language === language);
  return (
    <div className={classes.snippets} data-testid="key-snippets">
      <div className={classes.bar}>
        <Tabs
          value={language}
          onChange={(value) => {
            const next = all.find((snippet) => snippet.language === value);
            if (next) setLanguage(next.language);
          }}
          classNames={{ list: classes.list, tab: classes.tab }}
        >
          <Tabs.List aria-label="Language">
            {all.map((snippet) => (
              <Tabs.Tab
                key={snippet.language}
                value={snippet.language}
                data-testid={`snippet-${snippet.language}`}
              >
                {snippet.label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
        <div className={classes.choices}>
          <Select
            aria-label="Operation"
            size="xs"
            w={190}
            data={[...(operations.length > 0 ? operations : [FALLBACK_OPERATION])]}
            value={operation}
            onChange={(value) => setChosen(value ?? undefined)}
            data-testid="snippet-operation"
          />
          {current ? (
            <CopyButton text={current.code} what="snippet" labelled data-testid="snippet-copy" />
          ) : null}
        </div>
      </div>
      <div style={{ display: "grid", height: CODE_PX }}>
        <MonoBox
          label={`${current?.label ?? ""} snippet`}
          text={current?.code ?? ""}
          wrap={false}
          maxHeight={CODE_PX}
          data-testid="snippet-code"
        />
      </div>
      <p className="muted">
        The key is read from the environment variable <code>{KEY_VARIABLE}</code>; put it there
        once.
      </p>
    </div>
  );
}
