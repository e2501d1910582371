const WORDS: Readonly<Record<string, string>> = {
  timeout: "No answer in time",
  rate_limit: "Rate limit",
  invalid_key: "Key refused",
  out_of_credit: "Out of credit",
  overloaded: "Overloaded",
  server_error: "Server error",
  network: "No connection",
  bad_response: "Not understood",
  truncated: "Stream broke off",
  model_not_found: "No such model",
  bad_request: "Request refused",
  unsupported: "Not possible there",
};

/** Why a call failed, in two or three words. A kind this window does not know is shown as it is written. */
export function failureWord(kind: string): string {
  const known = WORDS[kind];
  if (known) return known;
  const words = kind.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
