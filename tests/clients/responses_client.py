"""The official OpenAI client's Responses API against BASE_URL (the gateway's root), with API_KEY, asking for MODEL."""

import json

import openai

from scenarios import TOOL_PARAMETERS, equal, must_fail, request, required, run

MODEL = required("MODEL")


def connect(api_key):
    base_url = f"{required('BASE_URL')}/v1"
    return openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=30)


client = connect(required("API_KEY"))


def tool(name):
    return {
        "type": "function",
        "name": name,
        "description": f"Tells the {name}.",
        "parameters": TOOL_PARAMETERS,
        "strict": False,
    }


def user(content):
    return {"role": "user", "content": content}


def complete(**body):
    """One complete call."""
    raw = client.responses.with_raw_response.create(model=MODEL, **body)
    return gathered(raw.parse(), raw.headers)


def streamed(**body):
    """One streamed call, gathered from the raw events in their published order."""
    raw = client.responses.with_raw_response.create(model=MODEL, stream=True, **body)
    text, chunks, kinds, last = "", 0, [], None
    for event in raw.parse():
        equal(event.sequence_number, len(kinds))
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
            chunks += 1
        last = event
    equal(kinds[0], "response.created")
    equal(last.type in ("response.completed", "response.incomplete"), True)
    seen = gathered(last.response, raw.headers)
    equal(text, seen["text"])
    return {**seen, "chunks": chunks}


def gathered(response, headers):
    equal(response.object, "response")
    details = response.incomplete_details
    return {
        "text": response.output_text,
        "output": [item.model_dump(exclude_none=True) for item in response.output],
        "status": response.status,
        "reason": details.reason if details else None,
        "requests": [request(headers, response.usage)],
    }


def round_trip(expected, call):
    """Calls the tools, answers them, and hears the answer; `call` is `complete` or `streamed`."""
    conversation = [user(expected["user"])]
    tools = [tool(name) for name in expected["tools"]]
    first = call(input=conversation, tools=tools)
    calls = [item for item in first["output"] if item["type"] == "function_call"]
    equal([made["name"] for made in calls], expected["tools"])
    equal([json.loads(made["arguments"]) for made in calls], expected["arguments"])
    results = [
        {"type": "function_call_output", "call_id": made["call_id"], "output": result}
        for made, result in zip(calls, expected["results"])
    ]
    second = call(input=[*conversation, *first["output"], *results], tools=tools)
    return {"text": second["text"], "requests": first["requests"] + second["requests"]}


def ended(seen, status="completed", reason=None):
    equal([seen["status"], seen["reason"]], [status, reason])
    return {"text": seen["text"], "requests": seen["requests"]}


def multi_turn(expected):
    roles = ["user", "assistant", "user"]
    turns = [{"role": role, "content": text} for role, text in zip(roles, expected["turns"])]
    return ended(complete(input=turns))


def streaming(expected):
    seen = streamed(input=expected["user"])
    equal(seen["chunks"] > 1, True)
    equal(seen["requests"][0]["usage"]["output_tokens"] > 0, True)
    return ended(seen)


def streaming_helper(expected):
    with client.responses.stream(model=MODEL, input=expected["user"]) as stream:
        response = stream.get_final_response()
    return {"text": response.output_text, "requests": []}


def image(expected):
    url = f"data:image/png;base64,{expected['image']}"
    content = [
        {"type": "input_text", "text": expected["user"]},
        {"type": "input_image", "image_url": url, "detail": "auto"},
    ]
    return ended(complete(input=[user(content)]))


def greet(api_key, model=MODEL, **options):
    return connect(api_key).responses.create(model=model, input="hi", **options)


run(
    {
        "complete": lambda e: ended(complete(input=e["user"])),
        "system": lambda e: ended(complete(instructions=e["system"], input=[user(e["user"])])),
        "multi_turn": multi_turn,
        "streaming": streaming,
        "streaming_usage": streaming,
        "streaming_helper": streaming_helper,
        "tools": lambda e: round_trip(e, complete),
        "tools_streaming": lambda e: round_trip(e, streamed),
        "parallel_tools": lambda e: round_trip(e, complete),
        "parallel_tools_streaming": lambda e: round_trip(e, streamed),
        "image": image,
        "max_tokens": lambda e: ended(
            complete(input=e["user"], max_output_tokens=e["max_tokens"]), "incomplete", "max_output_tokens"
        ),
        "wrong_key": lambda _: must_fail(lambda: greet("sbx_live_wrong"), openai.AuthenticationError),
        "wrong_key_streaming": lambda _: must_fail(
            lambda: greet("sbx_live_wrong", stream=True), openai.AuthenticationError
        ),
        "unknown_operation": lambda _: must_fail(
            lambda: greet(required("API_KEY"), model="op:no_such_operation"),
            openai.NotFoundError,
            openai.BadRequestError,
        ),
    }
)
