"""The official OpenAI client against BASE_URL (the gateway's root), with API_KEY, asking for MODEL."""

import json

import openai

from scenarios import TOOL_PARAMETERS, equal, must_fail, request, required, run

MODEL = required("MODEL")


def connect(api_key):
    base_url = f"{required('BASE_URL')}/v1"
    return openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=30)


client = connect(required("API_KEY"))


def tool(name):
    function = {"name": name, "description": f"Tells the {name}.", "parameters": TOOL_PARAMETERS}
    return {"type": "function", "function": function}


def user(content):
    return {"role": "user", "content": content}


def complete(**body):
    """One complete call."""
    raw = client.chat.completions.with_raw_response.create(model=MODEL, **body)
    completion = raw.parse()
    choice = completion.choices[0]
    return {
        "text": choice.message.content,
        "message": choice.message.model_dump(exclude_none=True),
        "finish_reason": choice.finish_reason,
        "requests": [request(raw.headers, completion.usage)],
    }


def streamed(**body):
    """One streamed call, gathered the way a client without the helper does it."""
    raw = client.chat.completions.with_raw_response.create(model=MODEL, stream=True, **body)
    text, chunks, calls, usage, finish_reason = "", 0, [], None, None
    for chunk in raw.parse():
        usage = usage or chunk.usage
        if not chunk.choices:
            continue
        choice = chunk.choices[0]
        finish_reason = choice.finish_reason or finish_reason
        if choice.delta.content:
            text += choice.delta.content
            chunks += 1
        for delta in choice.delta.tool_calls or []:
            gather(calls, delta)
    message = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = calls
    return {
        "text": text,
        "chunks": chunks,
        "message": message,
        "finish_reason": finish_reason,
        "requests": [request(raw.headers, usage)],
    }


def gather(calls, delta):
    while len(calls) <= delta.index:
        calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    call = calls[delta.index]
    call["id"] = call["id"] or delta.id or ""
    call["function"]["name"] = call["function"]["name"] or delta.function.name or ""
    call["function"]["arguments"] += delta.function.arguments or ""


def round_trip(expected, call):
    """Calls the tools, answers them, and hears the answer; `call` is `complete` or `streamed`."""
    messages = [user(expected["user"])]
    tools = [tool(name) for name in expected["tools"]]
    first = call(messages=messages, tools=tools)
    equal(first["finish_reason"], "tool_calls")
    calls = first["message"]["tool_calls"]
    equal([made["function"]["name"] for made in calls], expected["tools"])
    equal([json.loads(made["function"]["arguments"]) for made in calls], expected["arguments"])
    results = [
        {"role": "tool", "tool_call_id": made["id"], "content": result}
        for made, result in zip(calls, expected["results"])
    ]
    second = call(messages=[*messages, first["message"], *results], tools=tools)
    return {"text": second["text"], "requests": first["requests"] + second["requests"]}


def finished(seen, reason):
    equal(seen["finish_reason"], reason)
    return {"text": seen["text"], "requests": seen["requests"]}


def system(expected):
    messages = [{"role": "system", "content": expected["system"]}, user(expected["user"])]
    return finished(complete(messages=messages), "stop")


def multi_turn(expected):
    roles = ["user", "assistant", "user"]
    messages = [{"role": role, "content": text} for role, text in zip(roles, expected["turns"])]
    return finished(complete(messages=messages), "stop")


def streaming(expected):
    seen = streamed(messages=[user(expected["user"])])
    equal(seen["requests"][0]["usage"], None)
    equal(seen["chunks"] > 1, True)
    return finished(seen, "stop")


def streaming_usage(expected):
    seen = streamed(messages=[user(expected["user"])], stream_options={"include_usage": True})
    equal(seen["requests"][0]["usage"] is not None, True)
    return finished(seen, "stop")


def streaming_helper(expected):
    with client.chat.completions.stream(model=MODEL, messages=[user(expected["user"])]) as stream:
        completion = stream.get_final_completion()
    return {"text": completion.choices[0].message.content, "requests": []}


def image(expected):
    url = f"data:image/png;base64,{expected['image']}"
    content = [{"type": "text", "text": expected["user"]}, {"type": "image_url", "image_url": {"url": url}}]
    return finished(complete(messages=[user(content)]), "stop")


def models(_):
    ids = [listed.id for listed in client.models.list()]
    equal(len(ids) > 0, True)
    return {"models": ids}


def greet(api_key, model=MODEL, **options):
    return connect(api_key).chat.completions.create(model=model, messages=[user("hi")], **options)


run(
    {
        "complete": lambda e: finished(complete(messages=[user(e["user"])]), "stop"),
        "system": system,
        "multi_turn": multi_turn,
        "streaming": streaming,
        "streaming_usage": streaming_usage,
        "streaming_helper": streaming_helper,
        "tools": lambda e: round_trip(e, complete),
        "tools_streaming": lambda e: round_trip(e, streamed),
        "parallel_tools": lambda e: round_trip(e, complete),
        "parallel_tools_streaming": lambda e: round_trip(e, streamed),
        "image": image,
        "max_tokens": lambda e: finished(
            complete(messages=[user(e["user"])], max_tokens=e["max_tokens"]), "length"
        ),
        "stop_sequence": lambda e: finished(
            complete(messages=[user(e["user"])], stop=[e["stop"]]), "stop"
        ),
        "models": models,
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
