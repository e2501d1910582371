//! `POST /v1/feedback`: how good an earlier answer was, said by the program that got it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use signalbox_core::ids::RequestId;
use signalbox_core::ledger::Surface;
use signalbox_engine::feedback::{Feedback, FeedbackError};

use crate::body::{BODY_BYTES_MAX, discard, limit_of, read_object};
use crate::chat::admit;
use crate::fault::Fault;
use crate::gateway::Shared;

/// Longest comment. Units: characters.
const COMMENT_CHARS_MAX: usize = 2_000;
/// The best score, in the store's units.
const SCORE_MAX: u32 = 1_000;

/// Takes `{"request_id": "req_…", "score": 0.8}` or `{"request_id": "req_…", "thumbs": "up"}`, with a `comment` perhaps.
pub(crate) async fn feedback(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match take(&shared, request).await {
        Ok(id) => (StatusCode::CREATED, Json(json!({"object": "feedback", "request_id": id.to_string()})))
            .into_response(),
        Err(fault) => fault.for_surface(Surface::OpenaiChat).into_response(),
    }
}

async fn take(shared: &Shared, request: Request) -> Result<RequestId, Fault> {
    let live = shared.engine.live();
    let (parts, body) = request.into_parts();
    let key = match admit(shared, &live, &parts) {
        Ok(key) => key,
        Err(fault) => {
            discard(&shared.tasks, &parts.headers, body);
            return Err(fault);
        }
    };
    let body = read_object(&shared.tasks, &parts.headers, body, limit_of(key, BODY_BYTES_MAX)).await?;
    let feedback = understand(&body)?;
    let request = feedback.request;
    match shared.engine.take_feedback(key.id, feedback).await {
        Ok(()) => Ok(request),
        Err(FeedbackError::Unknown(id)) => {
            Err(Fault::not_found(format!("This API key has made no request {id}.")))
        }
        Err(FeedbackError::Store(error)) => {
            tracing::error!(%error, "feedback cannot be kept");
            Err(Fault::internal())
        }
    }
}

fn understand(body: &Map<String, Value>) -> Result<Feedback, Fault> {
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let request = text("request_id").and_then(|text| text.parse().ok()).ok_or_else(|| {
        Fault::invalid("`request_id` must be the x-signalbox-request-id of the answer, e.g. \"req_…\".")
    })?;
    let score = match (body.get("score"), body.get("thumbs")) {
        (Some(score), None) => score.as_f64().and_then(in_thousandths),
        (None, Some(thumbs)) => match thumbs.as_str() {
            Some("up") => Some(SCORE_MAX),
            Some("down") => Some(0),
            _ => None,
        },
        _ => None,
    };
    let score = score.ok_or_else(|| {
        Fault::invalid("Give either `score`, a number from 0 to 1, or `thumbs`, \"up\" or \"down\".")
    })?;
    let comment = text("comment").map(str::trim).filter(|comment| !comment.is_empty());
    if comment.is_some_and(|comment| comment.chars().count() > COMMENT_CHARS_MAX) {
        return Err(Fault::invalid(format!("`comment` has more than {COMMENT_CHARS_MAX} characters.")));
    }
    Ok(Feedback { request, score, comment: comment.map(str::to_owned) })
}

/// A score from 0 to 1 in thousandths.
fn in_thousandths(score: f64) -> Option<u32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked: the result lies between 0 and 1,000"
    )]
    let thousandths = |score: f64| (score * f64::from(SCORE_MAX)).round() as u32;
    (0.0..=1.0).contains(&score).then(|| thousandths(score))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score_of(body: Value) -> Option<u32> {
        let mut body = body;
        body["request_id"] = json!(RequestId::generate().to_string());
        understand(body.as_object().unwrap()).ok().map(|feedback| feedback.score)
    }

    #[test]
    fn a_score_lies_between_0_and_1_or_is_a_thumb_and_never_both() {
        assert_eq!(score_of(json!({"score": 0})), Some(0));
        assert_eq!(score_of(json!({"score": 0.8})), Some(800));
        assert_eq!(score_of(json!({"score": 1})), Some(1_000));
        assert_eq!(score_of(json!({"thumbs": "up"})), Some(1_000));
        assert_eq!(score_of(json!({"thumbs": "down"})), Some(0));
        for bad in [
            json!({}),
            json!({"score": 1.01}),
            json!({"score": -0.1}),
            json!({"score": "1"}),
            json!({"score": null}),
            json!({"thumbs": "sideways"}),
            json!({"score": 1, "thumbs": "up"}),
        ] {
            assert_eq!(score_of(bad.clone()), None, "{bad}");
        }
    }

    #[test]
    fn the_request_is_named_and_the_comment_bounded() {
        let of = |body: Value| understand(body.as_object().unwrap()).map_err(|fault| fault.message);
        assert!(of(json!({"score": 1})).unwrap_err().contains("request_id"));
        assert!(of(json!({"score": 1, "request_id": "7"})).unwrap_err().contains("request_id"));
        let id = RequestId::generate().to_string();
        let long = "x".repeat(COMMENT_CHARS_MAX + 1);
        assert!(of(json!({"score": 1, "request_id": id, "comment": long})).unwrap_err().contains("comment"));
        let kept = of(json!({"score": 1, "request_id": id, "comment": " good "})).unwrap();
        assert_eq!(kept.comment.as_deref(), Some("good"));
    }
}
