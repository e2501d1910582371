//! What the URL says: Google names the model and the method there.

use axum::http::Uri;

/// The path under which the wire lies.
const ROOT: &str = "/v1beta/models/";

/// The model and what to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub model: String,
    pub method: Method,
}

/// What a model can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Generate,
    /// As events (`alt=sse`), or as one list of all chunks.
    Stream {
        events: bool,
    },
    CountTokens,
}

impl Target {
    /// Reads `/v1beta/models/{model}:{method}`; `None` for any other URL.
    pub fn of(uri: &Uri) -> Option<Self> {
        let (model, method) = uri.path().strip_prefix(ROOT)?.rsplit_once(':')?;
        let method = match method {
            "generateContent" => Method::Generate,
            "streamGenerateContent" => Method::Stream {
                events: uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse")),
            },
            "countTokens" => Method::CountTokens,
            _ => return None,
        };
        (!model.is_empty()).then(|| Self { model: model.to_owned(), method })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_method_stand_in_the_path() {
        let of = |text: &str| Target::of(&text.parse().unwrap()).map(|target| (target.model, target.method));
        let model = || "gemini-3.8-flash".to_owned();
        assert_eq!(of("/v1beta/models/gemini-3.8-flash:generateContent"), Some((model(), Method::Generate)));
        assert_eq!(
            of("/v1beta/models/gemini-3.8-flash:streamGenerateContent?a=b&alt=sse"),
            Some((model(), Method::Stream { events: true }))
        );
        assert_eq!(
            of("/v1beta/models/gemini-3.8-flash:streamGenerateContent"),
            Some((model(), Method::Stream { events: false }))
        );
        assert_eq!(of("/v1beta/models/gemini-3.8-flash"), None);
        assert_eq!(of("/v1beta/models/gemini-3.8-flash:paint"), None);
        assert_eq!(of("/v1beta/models/:generateContent"), None);
    }
}
