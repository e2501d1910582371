//! The paths of vectors, transcripts and speech.

use std::sync::Arc;

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};

use crate::connection::Cut;
use crate::media::Wire;
use crate::server::Inner;
use crate::{audio, deepgram, edge_tts, elevenlabs, embeddings, oauth};

/// Adds them to the others.
pub(crate) fn add(router: Router<Arc<Inner>>) -> Router<Arc<Inner>> {
    const READ_ALOUD: &str = "/consumer/speech/synthesize/readaloud";
    router
        .route("/v1/embeddings", post(openai_embeddings))
        .route("/v1/audio/transcriptions", post(openai_transcription))
        .route("/v1/audio/speech", post(openai_speech))
        .route("/v1/listen", post(deepgram_listen))
        .route("/v1/speak", post(deepgram_speak))
        .route("/v1/auth/token", get(deepgram_token))
        .route("/v1/text-to-speech/{voice}", post(elevenlabs_speech))
        .route("/v1/speech-to-text", post(elevenlabs_transcription))
        .route("/v1/voices", get(elevenlabs_voices))
        .route("/oauth/token", post(oauth::token))
        .route(&format!("{READ_ALOUD}/voices/list"), get(edge_tts::voices))
        .route(&format!("{READ_ALOUD}/edge/v1"), get(edge_tts::speak))
}

type Server = State<Arc<Inner>>;

async fn openai_embeddings(
    State(server): Server,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.make(Wire::OpenAi, cut, request, embeddings::openai).await
}

async fn openai_transcription(
    State(server): Server,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.make(Wire::OpenAi, cut, request, audio::transcription).await
}

async fn openai_speech(
    State(server): Server,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.make(Wire::OpenAi, cut, request, audio::speech).await
}

async fn deepgram_listen(
    State(server): Server,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.make(Wire::Deepgram, cut, request, deepgram::listen).await
}

async fn deepgram_speak(
    State(server): Server,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.make(Wire::Deepgram, cut, request, deepgram::speak).await
}

async fn deepgram_token(State(server): Server, request: Request) -> Response {
    server.tell(Wire::Deepgram, request, deepgram::token).await
}

async fn elevenlabs_speech(
    State(server): Server,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Path(voice): Path<String>,
    request: Request,
) -> Response {
    server.make(Wire::ElevenLabs, cut, request, |asked| elevenlabs::speech(asked, &voice)).await
}

async fn elevenlabs_transcription(
    State(server): Server,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    server.make(Wire::ElevenLabs, cut, request, elevenlabs::transcription).await
}

async fn elevenlabs_voices(State(server): Server, request: Request) -> Response {
    server.tell(Wire::ElevenLabs, request, elevenlabs::voices).await
}

/// Lists models to a client of Deepgram's or `ElevenLabs`', who share a path with others; the request again for any other.
pub(crate) async fn models(server: &Inner, request: Request) -> Result<Response, Request> {
    let authorization = request.headers().get("authorization");
    if authorization.is_some_and(|value| value.as_bytes().starts_with(b"Token ")) {
        Ok(server.tell(Wire::Deepgram, request, deepgram::models).await)
    } else if request.headers().contains_key("xi-api-key") {
        Ok(server.tell(Wire::ElevenLabs, request, elevenlabs::models).await)
    } else {
        Err(request)
    }
}
