use FailureKind as Kind;
use reqwest::header::HeaderValue;

use super::*;

/// Status, body as the vendor sends it, meaning.
const TABLE: &[(u16, &str, FailureKind)] = &[
    // OpenAI
    (
        401,
        r#"{"error":{"message":"Incorrect API key provided: sk-abc***xyz.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
        Kind::InvalidKey,
    ),
    (
        401,
        r#"{"error":{"message":"You must be a member of an organization to use the API","type":"invalid_request_error"}}"#,
        Kind::InvalidKey,
    ),
    (
        403,
        r#"{"error":{"message":"Country, region, or territory not supported","code":"unsupported_country_region_territory"}}"#,
        Kind::InvalidKey,
    ),
    (
        403,
        r#"{"error":{"message":"Project `p` does not have access to model `gpt-5`","type":"invalid_request_error","code":"model_not_found"}}"#,
        Kind::ModelNotFound,
    ),
    (
        404,
        r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","code":"model_not_found"}}"#,
        Kind::ModelNotFound,
    ),
    (
        429,
        r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org on tokens per min (TPM)","type":"tokens","code":"rate_limit_exceeded"}}"#,
        Kind::RateLimit,
    ),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        Kind::OutOfCredit,
    ),
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        Kind::ContextLength,
    ),
    (
        400,
        r#"{"error":{"message":"Your request was rejected as a result of our safety system.","type":"invalid_request_error","code":"content_policy_violation"}}"#,
        Kind::ContentFilter,
    ),
    (
        400,
        r#"{"error":{"message":"Unsupported parameter: 'max_tokens'","type":"invalid_request_error","code":"unsupported_parameter"}}"#,
        Kind::BadRequest,
    ),
    (
        500,
        r#"{"error":{"message":"The server had an error while processing your request.","type":"server_error","code":null}}"#,
        Kind::ServerError,
    ),
    (
        503,
        r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error"}}"#,
        Kind::Overloaded,
    ),
    (503, r#"{"error":{"message":"Slow Down","code":"slow_down"}}"#, Kind::Overloaded),
    // Azure
    (
        400,
        r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        Kind::ContentFilter,
    ),
    (
        404,
        r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
        Kind::ModelNotFound,
    ),
    // DeepSeek
    (
        402,
        r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
        Kind::OutOfCredit,
    ),
    (
        400,
        r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
        Kind::ModelNotFound,
    ),
    // Google's compatible endpoint: a list, and states in capitals
    (
        400,
        r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#,
        Kind::InvalidKey,
    ),
    (
        429,
        r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED"}}]"#,
        Kind::RateLimit,
    ),
    (
        503,
        r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#,
        Kind::Overloaded,
    ),
    (
        400,
        r#"[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#,
        Kind::ContextLength,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"API key expired.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
        Kind::InvalidKey,
    ),
    (
        429,
        r#"{"error":{"code":429,"message":"Your prepayment credits are depleted.","status":"RESOURCE_EXHAUSTED"}}"#,
        Kind::OutOfCredit,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#,
        Kind::InvalidKey,
    ),
    // OpenRouter
    (
        402,
        r#"{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens."}}"#,
        Kind::OutOfCredit,
    ),
    (
        400,
        r#"{"error":{"message":"foo/bar is not a valid model ID","code":400},"user_id":"u"}"#,
        Kind::ModelNotFound,
    ),
    (
        403,
        r#"{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["x"]}}}"#,
        Kind::ContentFilter,
    ),
    // Anthropic
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
        Kind::ContextLength,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"}}"#,
        Kind::ContextLength,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#,
        Kind::OutOfCredit,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages: at least one message is required"}}"#,
        Kind::BadRequest,
    ),
    (
        401,
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
        Kind::InvalidKey,
    ),
    (
        402,
        r#"{"type":"error","error":{"type":"billing_error","message":"Your account has a billing problem."}}"#,
        Kind::OutOfCredit,
    ),
    (
        403,
        r#"{"type":"error","error":{"type":"permission_error","message":"Your API key does not have permission."}}"#,
        Kind::InvalidKey,
    ),
    (
        404,
        r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}}"#,
        Kind::ModelNotFound,
    ),
    (
        413,
        r#"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
        Kind::ContextLength,
    ),
    (
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"Number of request tokens has exceeded your per-minute rate limit"}}"#,
        Kind::RateLimit,
    ),
    (
        500,
        r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#,
        Kind::ServerError,
    ),
    (
        504,
        r#"{"type":"error","error":{"type":"timeout_error","message":"Request timed out"}}"#,
        Kind::Timeout,
    ),
    (529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Kind::Overloaded),
    // Ollama, vLLM, proxies in between
    (
        404,
        r#"{"error":{"message":"model 'llama9' not found","type":"api_error","param":null,"code":null}}"#,
        Kind::ModelNotFound,
    ),
    (
        400,
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}"#,
        Kind::ContextLength,
    ),
    (404, r#"{"detail":"Not Found"}"#, Kind::BadResponse),
    (404, "404 page not found", Kind::BadResponse),
    (408, "", Kind::Timeout),
    (422, r#"{"detail":[{"loc":["body","messages"],"msg":"field required"}]}"#, Kind::BadRequest),
    (502, "<html>Bad Gateway</html>", Kind::ServerError),
    (503, "", Kind::Overloaded),
    (524, "error code: 524", Kind::Timeout),
    (529, "", Kind::Overloaded),
    (520, "", Kind::ServerError),
    (418, "", Kind::BadRequest),
];

#[test]
fn every_vendors_error_has_its_meaning() {
    for (status, body, kind) in TABLE {
        let error = ErrorBody::of_bytes(body.as_bytes()).into_error(Some(*status), None, None);
        assert_eq!(error.kind, *kind, "{status} {body}");
        assert_eq!(error.http_status, Some(*status));
        assert!(!error.message.is_empty());
    }
}

#[test]
fn an_error_inside_a_stream_needs_no_status() {
    for (body, kind) in [
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Kind::Overloaded),
        (r#"{"error":{"code":502,"message":"Provider returned error"}}"#, Kind::ServerError),
        (r#"{"error":{"code":"429","message":"slow"}}"#, Kind::RateLimit),
        (
            r#"{"error":{"message":"context_length_exceeded","code":"context_length_exceeded"}}"#,
            Kind::ContextLength,
        ),
        (r#"{"error":"upstream died"}"#, Kind::ServerError),
        (r#"{"error":{"code":99999999999}}"#, Kind::ServerError),
        (r#"{"error":[]}"#, Kind::ServerError),
    ] {
        assert_eq!(ErrorBody::of_bytes(body.as_bytes()).kind(None), kind, "{body}");
    }
}

fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect::<HeaderMap>();
    ErrorBody::default().into_error(Some(429), Some(&headers), None).retry_after
}

#[test]
fn the_wait_a_provider_asks_for_is_read_in_all_its_forms() {
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(wait(&[("retry-after", "20")]), Some(Duration::from_secs(20)));
    assert_eq!(wait(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
    assert_eq!(wait(&[("retry-after-ms", "1500"), ("retry-after", "2")]), Some(Duration::from_millis(1500)));
    let until = |until| wait(&[date, ("retry-after", until)]);
    assert_eq!(until("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_mins(1)));
    assert_eq!(until("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
    assert_eq!(wait(&[("retry-after", "99999999999")]), Some(WAIT_MAX));
    for nonsense in ["-5", "soon", "", "1e9", "..", "Sun, 99 Nov 1994 08:49:37 GMT"] {
        assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
    }
    let google = r#"[{"error":{"code":429,"details":[{"@type":"x"},{"retryDelay":"37s"}]}}]"#;
    let error = ErrorBody::of_bytes(google.as_bytes()).into_error(Some(429), None, None);
    assert_eq!(error.retry_after, Some(Duration::from_secs(37)));
}

#[test]
fn a_message_is_one_bounded_line_without_the_credential() {
    let secret = SecretString::from("sk-live-1234567890");
    let text = tidy("bad\nkey\u{0}sk-live-1234567890, again sk-l****7890\u{1b}[31m", Some(&secret));
    assert_eq!(text, "bad key [credential], again [credential] [31m");
    let long = tidy(&"ü".repeat(2000), None);
    assert_eq!(long.chars().count(), MESSAGE_CHARS_MAX);
    assert!(long.ends_with('…'));
}

#[test]
fn pieces_of_the_credential_are_hidden_wherever_a_message_quotes_or_cuts_it() {
    let secret = SecretString::from("sk-live-Ab3Ce5Gh7Jk9\"Lm2Np4Qr6St8Uv0");
    let of = |message: &str| tidy(message, Some(&secret));
    assert_eq!(of("your key sk-live-Ab3Ce5Gh… is bad"), "your key [credential]… is bad");
    assert_eq!(
        of(r#"{"key":"sk-live-Ab3Ce5Gh7Jk9\"Lm2Np4Qr6St8Uv0"}"#),
        r#"{"key":"[credential]\[credential]"}"#
    );
    assert_eq!(
        of("keys begin with sk-live- and end with 8Uv0"),
        "keys begin with sk-live- and end with 8Uv0"
    );
    // A stream's error is cut once before its credential is known.
    let cut = tidy(&format!("{} {}", "x".repeat(480), secret.expose_secret()), None);
    assert!(!of(&cut).contains("sk-live"), "{cut}");
}
