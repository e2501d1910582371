"""The official Anthropic client against BASE_URL (the gateway's root), with API_KEY, asking for MODEL."""

import json

import anthropic

from scenarios import TOOL_PARAMETERS, equal, must_fail, request, required, run

MODEL = required("MODEL")


def connect(api_key):
    return anthropic.Anthropic(base_url=required("BASE_URL"), api_key=api_key, max_retries=0, timeout=30)


client = connect(required("API_KEY"))


def tool(name):
    return {"name": name, "description": f"Tells the {name}.", "input_schema": TOOL_PARAMETERS}


def user(content):
    return {"role": "user", "content": content}


def text_of(content):
    """The text blocks of a message, joined."""
    return "".join(block["text"] for block in content if block["type"] == "text")


def complete(max_tokens=1024, **body):
    """One complete call."""
    raw = client.messages.with_raw_response.create(model=MODEL, max_tokens=max_tokens, **body)
    message = raw.parse()
    content = [block.model_dump(exclude_none=True) for block in message.content]
    return {
        "text": text_of(content),
        "content": content,
        "stop_reason": message.stop_reason,
        "requests": [request(raw.headers, message.usage)],
    }


def streamed(max_tokens=1024, **body):
    """One streamed call, gathered from the raw events in their published order."""
    raw = client.messages.with_raw_response.create(model=MODEL, max_tokens=max_tokens, stream=True, **body)
    blocks, kinds, chunks, usage, stop_reason = [], [], 0, {}, None
    for event in raw.parse():
        kinds.append(event.type)
        if event.type == "message_start":
            usage.update(event.message.usage.model_dump(exclude_none=True))
        elif event.type == "content_block_start":
            blocks.append({**event.content_block.model_dump(exclude_none=True), "json": ""})
        elif event.type == "content_block_delta":
            chunks += 1
            grow(blocks[event.index], event.delta)
        elif event.type == "message_delta":
            stop_reason = event.delta.stop_reason
            usage.update(event.usage.model_dump(exclude_none=True))
    equal([kinds[0], kinds[-1]], ["message_start", "message_stop"])
    for block in blocks:
        partial = block.pop("json")
        if block["type"] == "tool_use":
            block["input"] = json.loads(partial or "{}")
    told = {"request_id": raw.headers.get("x-signalbox-request-id"), "usage": usage}
    return {
        "text": text_of(blocks),
        "content": blocks,
        "chunks": chunks,
        "stop_reason": stop_reason,
        "requests": [told],
    }


def grow(block, delta):
    if delta.type == "text_delta":
        block["text"] += delta.text
    elif delta.type == "input_json_delta":
        block["json"] += delta.partial_json


def round_trip(expected, call):
    """Calls the tools, answers them, and hears the answer; `call` is `complete` or `streamed`."""
    messages = [user(expected["user"])]
    tools = [tool(name) for name in expected["tools"]]
    first = call(messages=messages, tools=tools)
    equal(first["stop_reason"], "tool_use")
    uses = [block for block in first["content"] if block["type"] == "tool_use"]
    equal([use["name"] for use in uses], expected["tools"])
    equal([use["input"] for use in uses], expected["arguments"])
    results = [
        {"type": "tool_result", "tool_use_id": use["id"], "content": result}
        for use, result in zip(uses, expected["results"])
    ]
    turn = {"role": "assistant", "content": first["content"]}
    second = call(messages=[*messages, turn, user(results)], tools=tools)
    return {"text": second["text"], "requests": first["requests"] + second["requests"]}


def stopped(seen, *reasons):
    equal(seen["stop_reason"] in reasons, True)
    return {"text": seen["text"], "stop_reason": seen["stop_reason"], "requests": seen["requests"]}


def multi_turn(expected):
    roles = ["user", "assistant", "user"]
    messages = [{"role": role, "content": text} for role, text in zip(roles, expected["turns"])]
    return stopped(complete(messages=messages), "end_turn")


def streaming(expected):
    seen = streamed(messages=[user(expected["user"])])
    equal(seen["chunks"] > 1, True)
    return stopped(seen, "end_turn")


def streaming_usage(expected):
    seen = streamed(messages=[user(expected["user"])])
    equal(seen["requests"][0]["usage"]["output_tokens"] > 0, True)
    return stopped(seen, "end_turn")


def streaming_helper(expected):
    messages = [user(expected["user"])]
    with client.messages.stream(model=MODEL, max_tokens=1024, messages=messages) as stream:
        message = stream.get_final_message()
        headers = stream.response.headers
    text = "".join(block.text for block in message.content if block.type == "text")
    return {"text": text, "requests": [request(headers, message.usage)]}


def image(expected):
    source = {"type": "base64", "media_type": "image/png", "data": expected["image"]}
    content = [{"type": "text", "text": expected["user"]}, {"type": "image", "source": source}]
    return stopped(complete(messages=[user(content)]), "end_turn")


def count_tokens(_):
    messages = [user("hello big world")]
    short = client.messages.count_tokens(model=MODEL, messages=messages)
    long = client.messages.count_tokens(model=MODEL, messages=messages, tools=[tool("weather")])
    equal(0 < short.input_tokens < long.input_tokens, True)
    return {"counted": [short.input_tokens, long.input_tokens]}


def models(_):
    ids = [listed.id for listed in client.models.list()]
    equal(len(ids) > 0, True)
    return {"models": ids}


def greet(api_key, model=MODEL, **options):
    messages = [user("hi")]
    return connect(api_key).messages.create(model=model, max_tokens=1024, messages=messages, **options)


run(
    {
        "complete": lambda e: stopped(complete(messages=[user(e["user"])]), "end_turn"),
        "system": lambda e: stopped(
            complete(messages=[user(e["user"])], system=e["system"]), "end_turn"
        ),
        "multi_turn": multi_turn,
        "streaming": streaming,
        "streaming_usage": streaming_usage,
        "streaming_helper": streaming_helper,
        "tools": lambda e: round_trip(e, complete),
        "tools_streaming": lambda e: round_trip(e, streamed),
        "parallel_tools": lambda e: round_trip(e, complete),
        "parallel_tools_streaming": lambda e: round_trip(e, streamed),
        "image": image,
        "max_tokens": lambda e: stopped(
            complete(messages=[user(e["user"])], max_tokens=e["max_tokens"]), "max_tokens"
        ),
        "stop_sequence": lambda e: stopped(
            complete(messages=[user(e["user"])], stop_sequences=[e["stop"]]), "stop_sequence", "end_turn"
        ),
        "count_tokens": count_tokens,
        "models": models,
        "wrong_key": lambda _: must_fail(lambda: greet("sbx_live_wrong"), anthropic.AuthenticationError),
        "wrong_key_streaming": lambda _: must_fail(
            lambda: greet("sbx_live_wrong", stream=True), anthropic.AuthenticationError
        ),
        "unknown_operation": lambda _: must_fail(
            lambda: greet(required("API_KEY"), model="op:no_such_operation"),
            anthropic.NotFoundError,
            anthropic.BadRequestError,
        ),
    }
)
