//! What was said in a recording, and the forms in which clients of `OpenAI`'s surface want it.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::millis;

/// Longest line of subtitles made from words. Units: characters.
const LINE_CHARS_MAX: usize = 80;

/// Longest time a line of subtitles made from words stays. Units: milliseconds.
const LINE_MILLIS_MAX: u64 = 7_000;

/// A silence that ends a line of subtitles. Units: milliseconds.
const PAUSE_MILLIS: u64 = 1_000;

/// A transcript, whoever made it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Transcript {
    pub text: String,
    /// As its provider names it: a code or an English word.
    pub language: Option<String>,
    /// How long the recording is.
    pub duration: Option<u64>,
    pub segments: Vec<Span>,
    pub words: Vec<Span>,
}

/// Something that was said, and when. Units: milliseconds from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u64,
    pub end: u64,
    pub text: String,
}

/// What a client may ask for in `response_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Text,
    Srt,
    Vtt,
    VerboseJson,
    /// With speakers; only `OpenAI`'s own models write it.
    DiarizedJson,
}

impl Form {
    pub const ALL: [Self; 6] =
        [Self::Json, Self::Text, Self::Srt, Self::Vtt, Self::VerboseJson, Self::DiarizedJson];

    /// The word in `response_format`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
            Self::VerboseJson => "verbose_json",
            Self::DiarizedJson => "diarized_json",
        }
    }

    /// The form of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == word)
    }

    /// The media type of an answer in that form.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::VerboseJson | Self::DiarizedJson => "application/json",
            Self::Text | Self::Srt => "text/plain; charset=utf-8",
            Self::Vtt => "text/vtt; charset=utf-8",
        }
    }

    /// The words of several forms, for a message.
    pub fn words(forms: &[Self]) -> String {
        forms.iter().map(|form| form.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Which times a client wants beside the text of `verbose_json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granularity {
    pub words: bool,
    pub segments: bool,
}

impl Transcript {
    /// Reads `OpenAI`'s `json` and `verbose_json`; `None` when there is no text in it.
    pub fn of_openai(body: &Value) -> Option<Self> {
        let spans = |key: &str, text: &str| -> Vec<Span> {
            let list = body.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(|span| Span::read(span, &[text])).collect()
        };
        Some(Self {
            text: body.get("text")?.as_str()?.to_owned(),
            language: body.get("language").and_then(Value::as_str).map(str::to_owned),
            duration: body.get("duration").and_then(millis::of_seconds),
            segments: spans("segments", "text"),
            words: spans("words", "word"),
        })
    }

    /// The answer in `form`. `usage` is said where the form has a place for it.
    pub fn write(&self, form: Form, granularity: Granularity, usage: &Value) -> Bytes {
        match form {
            Form::Json => json!({"text": self.text, "usage": usage}).to_string().into(),
            Form::Text => format!("{}\n", self.text.trim()).into(),
            Form::Srt => self.srt().into(),
            Form::Vtt => self.vtt().into(),
            Form::VerboseJson | Form::DiarizedJson => self.verbose(granularity, usage).to_string().into(),
        }
    }

    fn verbose(&self, granularity: Granularity, usage: &Value) -> Value {
        let duration = self.duration.or_else(|| self.words.last().map(|word| word.end)).unwrap_or(0);
        let mut body = Map::from_iter([
            ("task".to_owned(), json!("transcribe")),
            ("language".to_owned(), json!(self.language.as_deref().unwrap_or("unknown"))),
            ("duration".to_owned(), millis::to_seconds(duration)),
            ("text".to_owned(), json!(self.text)),
        ]);
        if granularity.segments {
            let segments: Vec<Value> = self.lines().iter().enumerate().map(segment).collect();
            body.insert("segments".to_owned(), Value::Array(segments));
        }
        if granularity.words {
            let word = |span: &Span| {
                let (start, end) = (millis::to_seconds(span.start), millis::to_seconds(span.end));
                json!({"word": span.text, "start": start, "end": end})
            };
            body.insert("words".to_owned(), self.words.iter().map(word).collect());
        }
        body.insert("usage".to_owned(), usage.clone());
        Value::Object(body)
    }

    fn srt(&self) -> String {
        let mut out = String::new();
        for (index, line) in self.lines().iter().enumerate() {
            let (start, end) = (clock(line.start, ','), clock(line.end, ','));
            let _ = write!(out, "{}\n{start} --> {end}\n{}\n\n", index + 1, line.text.trim());
        }
        out
    }

    fn vtt(&self) -> String {
        let mut out = "WEBVTT\n\n".to_owned();
        for line in self.lines() {
            let (start, end) = (clock(line.start, '.'), clock(line.end, '.'));
            // An arrow inside the text would be taken for a time.
            let text = line.text.trim().replace("-->", "->");
            let _ = write!(out, "{start} --> {end}\n{text}\n\n");
        }
        out
    }

    /// The provider's own segments, else lines made of its words, else one line over the whole recording.
    pub fn lines(&self) -> Vec<Span> {
        if !self.segments.is_empty() {
            return self.segments.clone();
        }
        let lines = lines_of(&self.words);
        if !lines.is_empty() || self.text.trim().is_empty() {
            return lines;
        }
        vec![Span { start: 0, end: self.duration.unwrap_or(0), text: self.text.clone() }]
    }
}

impl Span {
    /// Reads `start`, `end` in seconds and the first of `texts` that is there.
    pub fn read(span: &Value, texts: &[&str]) -> Option<Self> {
        let text = texts.iter().find_map(|key| span.get(*key)?.as_str())?;
        let at = |key: &str| span.get(key).and_then(millis::of_seconds);
        let start = at("start")?;
        Some(Self { start, end: at("end")?.max(start), text: text.to_owned() })
    }
}

/// Lines that end with a sentence, before a pause, or when they get too long.
fn lines_of(words: &[Span]) -> Vec<Span> {
    let mut lines: Vec<Span> = Vec::new();
    let mut ended = true;
    for word in words {
        match lines.last_mut() {
            Some(line)
                if !ended
                    && word.start.saturating_sub(line.end) < PAUSE_MILLIS
                    && word.end.saturating_sub(line.start) <= LINE_MILLIS_MAX
                    && line.text.chars().count() + word.text.chars().count() < LINE_CHARS_MAX =>
            {
                line.text.push(' ');
                line.text.push_str(word.text.trim());
                line.end = line.end.max(word.end);
            }
            _ => lines.push(Span { text: word.text.trim().to_owned(), ..word.clone() }),
        }
        ended = word.text.ends_with(['.', '!', '?', '。', '！', '？', '…']);
    }
    lines
}

/// A segment with every field typed clients of `OpenAI` insist on; what only Whisper knows is neutral.
fn segment((index, span): (usize, &Span)) -> Value {
    json!({
        "id": index, "seek": 0,
        "start": millis::to_seconds(span.start), "end": millis::to_seconds(span.end), "text": span.text,
        "tokens": [], "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 0.0, "no_speech_prob": 0.0,
    })
}

/// `HH:MM:SS,mmm`.
fn clock(millis: u64, point: char) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{millis:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Granularity = Granularity { words: true, segments: true };

    fn word(start: u64, end: u64, text: &str) -> Span {
        Span { start, end, text: text.to_owned() }
    }

    fn said() -> Transcript {
        Transcript {
            text: "Hello there. How are you?".to_owned(),
            language: Some("en".to_owned()),
            duration: Some(3_500),
            segments: Vec::new(),
            words: vec![
                word(80, 320, "Hello"),
                word(320, 900, "there."),
                word(1_000, 1_200, "How"),
                word(1_200, 1_400, "are"),
                word(1_400, 3_250, "you?"),
            ],
        }
    }

    fn written(form: Form) -> String {
        String::from_utf8(said().write(form, BOTH, &json!({"type": "duration", "seconds": 4})).to_vec())
            .unwrap()
    }

    #[test]
    fn every_form_holds_the_same_text() {
        assert_eq!(
            written(Form::Json),
            r#"{"text":"Hello there. How are you?","usage":{"type":"duration","seconds":4}}"#
        );
        assert_eq!(written(Form::Text), "Hello there. How are you?\n");
        assert_eq!(
            written(Form::Srt),
            "1\n00:00:00,080 --> 00:00:00,900\nHello there.\n\n2\n00:00:01,000 --> 00:00:03,250\nHow are you?\n\n"
        );
        assert_eq!(
            written(Form::Vtt),
            "WEBVTT\n\n00:00:00.080 --> 00:00:00.900\nHello there.\n\n00:00:01.000 --> 00:00:03.250\nHow are you?\n\n"
        );
        let verbose: Value = serde_json::from_str(&written(Form::VerboseJson)).unwrap();
        assert_eq!((&verbose["duration"], &verbose["language"]), (&json!(3.5), &json!("en")));
        assert_eq!(verbose["segments"][1]["start"], json!(1.0));
        assert_eq!(verbose["words"][4], json!({"word": "you?", "start": 1.4, "end": 3.25}));
    }

    #[test]
    fn verbose_json_read_back_is_the_same_transcript() {
        let body = serde_json::from_str(&written(Form::VerboseJson)).unwrap();
        let read = Transcript::of_openai(&body).unwrap();
        assert_eq!((read.text, read.words, read.duration), (said().text, said().words, said().duration));
        assert_eq!(read.segments, said().lines());
    }

    #[test]
    fn lines_end_with_sentences_pauses_and_length() {
        let pause = lines_of(&[word(0, 100, "one"), word(1_100, 1_200, "two")]);
        assert_eq!(pause.len(), 2);
        let long: Vec<Span> = (0..100).map(|at| word(at * 50, at * 50 + 40, "word")).collect();
        assert!(lines_of(&long).iter().all(|line| line.text.len() <= LINE_CHARS_MAX));
        let slow: Vec<Span> = (0..20).map(|at| word(at * 900, at * 900 + 800, "a")).collect();
        assert!(lines_of(&slow).iter().all(|line| line.end - line.start <= LINE_MILLIS_MAX));
        assert_eq!(lines_of(&[]), []);
    }

    #[test]
    fn a_transcript_without_times_is_one_line() {
        let bare = Transcript { words: Vec::new(), ..said() };
        assert_eq!(bare.lines(), [word(0, 3_500, "Hello there. How are you?")]);
        assert_eq!(Transcript::default().lines(), []);
    }

    #[test]
    fn an_arrow_in_the_text_is_no_time() {
        let arrow = Transcript { text: "a --> b".to_owned(), ..Transcript::default() };
        let vtt = arrow.write(Form::Vtt, BOTH, &Value::Null);
        assert_eq!(std::str::from_utf8(&vtt).unwrap().matches("-->").count(), 1);
    }

    #[test]
    fn hours_are_written_out() {
        assert_eq!(clock(3_723_004, ','), "01:02:03,004");
    }
}
