"""What both Python clients share: the scenarios, the environment, and one line of JSON per scenario."""

import json
import os
import sys
from pathlib import Path

SCENARIOS = json.loads(Path(__file__).with_name("scenarios.json").read_text(encoding="utf-8"))

# JSON schema of the arguments that every tool of the scenarios takes.
TOOL_PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city"],
}


def required(name):
    """An environment variable that must be set."""
    value = os.environ.get(name)
    if not value:
        sys.exit(f"{name} must be set")
    return value


def equal(seen, expected):
    """Fails, saying both, when they differ."""
    if seen != expected:
        raise AssertionError(f"expected {expected!r}, saw {seen!r}")


def run(checks):
    """Runs each check and prints its outcome: {scenario, ok, text?, usage?, request_id?, requests, error?}.

    A check returns {"text", "requests": [{"request_id", "usage"}], ...} and raises when the client was not served as
    expected. ONLY (comma-separated names) narrows the run.
    """
    only = os.environ.get("ONLY")
    names = only.split(",") if only else list(checks)
    failed = False
    for scenario in names:
        outcome = attempt(scenario, checks[scenario])
        print(json.dumps(outcome), flush=True)
        failed = failed or not outcome["ok"]
    sys.exit(1 if failed else 0)


def attempt(scenario, check):
    expected = SCENARIOS.get(scenario)
    try:
        seen = check(expected)
        if expected:
            equal(seen["text"], expected["text"])
            for request, tokens in zip(seen["requests"], expected["tokens"]):
                check_usage(request["usage"], tokens)
    except Exception as error:  # noqa: BLE001 - whatever the client raises is the outcome
        return {"scenario": scenario, "ok": False, "error": described(error)}
    last = (seen.get("requests") or [{}])[-1]
    return {
        "scenario": scenario,
        "ok": True,
        "usage": last.get("usage"),
        "request_id": last.get("request_id"),
        **seen,
    }


def check_usage(usage, tokens):
    """Usage, where the wire carries it, must say the tokens computed by hand."""
    if not usage:
        return
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    completion = usage.get("completion_tokens", usage.get("output_tokens"))
    equal([prompt, completion], tokens)


def described(error):
    """An error as the client's user sees it."""
    response = getattr(error, "response", None)
    body = getattr(error, "body", None)
    details = {}
    if isinstance(body, dict):
        details = body.get("error", body) if isinstance(body.get("error"), dict) else body
    code = getattr(error, "code", None) or getattr(error, "error_code", None) or details.get("code")
    return {
        "class": type(error).__name__,
        "status": getattr(error, "status_code", None),
        "code": code,
        "message": str(error),
        "request_id": response.headers.get("x-signalbox-request-id") if response is not None else None,
    }


def must_fail(call, *classes):
    """Runs a call that must fail with one of these classes of the client."""
    try:
        call()
    except classes as error:
        return {"error": described(error)}
    raise AssertionError("the call should have failed")


def request(headers, usage):
    """What a request leaves behind: the gateway's id of it, and the usage the client was told."""
    told = usage.model_dump(exclude_none=True) if usage is not None else None
    return {"request_id": headers.get("x-signalbox-request-id"), "usage": told}
