//! A request for a transcript: a file and the fields of its form.

use super::container;
use super::transcript::{Form, Granularity};
use crate::call::AudioUpload;
use crate::inspect::{InvalidRequest, fault};
use crate::tokens::as_u64;

/// Largest file. Units: bytes. Source: `OpenAI`'s API reference; the other vendors take more.
const FILE_BYTES_MAX: usize = 25 * 1024 * 1024;

/// Least bytes a second of speech has in any format in use (8 kbit/s), so that a file of unknown length is never taken for
/// shorter than it is.
const BYTES_PER_SECOND_MIN: u64 = 1000;

/// A request for a transcript, read and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recording<'a> {
    pub upload: &'a AudioUpload,
    pub form: Form,
    pub granularity: Granularity,
    /// What is spoken, as a code such as `en`.
    pub language: Option<&'a str>,
    /// Words that may come up, or how to write.
    pub prompt: Option<&'a str>,
}

impl<'a> Recording<'a> {
    /// Reads the file and its fields.
    ///
    /// Errors: [`InvalidRequest`] with the name of the field.
    pub fn read(upload: &'a AudioUpload) -> Result<Self, InvalidRequest> {
        if upload.bytes.is_empty() {
            return Err(fault("file", "is empty or missing"));
        }
        if upload.bytes.len() > FILE_BYTES_MAX {
            return Err(fault("file", format!("must have at most {FILE_BYTES_MAX} bytes")));
        }
        let field = |name: &str| field(upload, name);
        let form = match field("response_format") {
            None => Form::Json,
            Some(word) => Form::from_word(word).ok_or_else(|| {
                fault("response_format", format!("must be one of {}", Form::words(&Form::ALL)))
            })?,
        };
        if field("stream").is_some_and(|stream| stream.eq_ignore_ascii_case("true") || stream == "1") {
            return Err(fault("stream", "transcripts are not streamed here: leave it out"));
        }
        Ok(Self {
            upload,
            form,
            granularity: granularity(upload)?,
            language: field("language"),
            prompt: field("prompt"),
        })
    }

    /// How long it plays, where the file says so. Units: milliseconds.
    pub fn millis(&self) -> Option<u64> {
        container::millis(&self.upload.bytes)
    }

    /// How long it plays at most. Units: milliseconds.
    pub fn millis_max(&self) -> u64 {
        self.millis().unwrap_or_else(|| {
            as_u64(self.upload.bytes.len()).saturating_mul(1000).div_ceil(BYTES_PER_SECOND_MIN)
        })
    }

    /// The file's media type: what the client says if that is one of sound or video, else by the name's ending.
    pub fn content_type(&self) -> &'a str {
        let said = self.upload.content_type.as_deref().unwrap_or_default();
        if said.starts_with("audio/") || said.starts_with("video/") {
            return said;
        }
        let ending = self.upload.file_name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending.to_ascii_lowercase().as_str() {
            "mp3" | "mpga" | "mpeg" => "audio/mpeg",
            "m4a" => "audio/mp4",
            "mp4" => "video/mp4",
            "ogg" | "oga" | "opus" => "audio/ogg",
            "flac" => "audio/flac",
            "webm" => "audio/webm",
            "aac" => "audio/aac",
            _ if self.upload.bytes.starts_with(b"RIFF") => "audio/wav",
            _ if self.upload.bytes.starts_with(b"OggS") => "audio/ogg",
            _ if self.upload.bytes.starts_with(b"fLaC") => "audio/flac",
            _ if self.upload.bytes.starts_with(b"ID3") => "audio/mpeg",
            "wav" => "audio/wav",
            _ => "application/octet-stream",
        }
    }
}

/// The field of that name, if it was given and is not empty.
pub(super) fn field<'a>(upload: &'a AudioUpload, name: &str) -> Option<&'a str> {
    let found = upload.fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn granularity(upload: &AudioUpload) -> Result<Granularity, InvalidRequest> {
    let mut asked = Granularity { words: false, segments: false };
    for (name, value) in &upload.fields {
        if name != "timestamp_granularities[]" && name != "timestamp_granularities" {
            continue;
        }
        match value.as_str() {
            "word" => asked.words = true,
            "segment" => asked.segments = true,
            _ => return Err(fault("timestamp_granularities", "must be word or segment")),
        }
    }
    asked.segments = asked.segments || !asked.words;
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(fields: &[(&str, &str)]) -> AudioUpload {
        AudioUpload {
            bytes: container::wav_of_pcm16(&vec![0; 48_000], 24_000).into(),
            file_name: "hello.wav".to_owned(),
            content_type: None,
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn a_recording_is_read_with_its_defaults() {
        let upload = upload(&[("model", "whisper-1"), ("language", ""), ("prompt", "Signalbox")]);
        let recording = Recording::read(&upload).unwrap();
        assert_eq!(
            (recording.form, recording.language, recording.prompt),
            (Form::Json, None, Some("Signalbox"))
        );
        assert_eq!(recording.granularity, Granularity { words: false, segments: true });
        assert_eq!((recording.millis(), recording.millis_max()), (Some(1000), 1000));
        assert_eq!(recording.content_type(), "audio/wav");
    }

    #[test]
    fn granularities_add_up() {
        let words = upload(&[("timestamp_granularities[]", "word")]);
        assert_eq!(
            Recording::read(&words).unwrap().granularity,
            Granularity { words: true, segments: false }
        );
        let both = upload(&[("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")]);
        assert_eq!(Recording::read(&both).unwrap().granularity, Granularity { words: true, segments: true });
    }

    #[test]
    fn a_file_of_unknown_length_is_taken_for_its_longest() {
        let unknown = AudioUpload { bytes: vec![7; 5_000].into(), ..upload(&[]) };
        assert_eq!(Recording::read(&unknown).unwrap().millis_max(), 5_000);
    }

    #[test]
    fn a_clients_fault_is_named_by_its_field() {
        for (bad, path) in [
            (AudioUpload { bytes: Vec::new().into(), ..upload(&[]) }, "file"),
            (AudioUpload { bytes: vec![0; FILE_BYTES_MAX + 1].into(), ..upload(&[]) }, "file"),
            (upload(&[("response_format", "xml")]), "response_format"),
            (upload(&[("stream", "true")]), "stream"),
            (upload(&[("timestamp_granularities[]", "letter")]), "timestamp_granularities"),
        ] {
            assert_eq!(Recording::read(&bad).unwrap_err().path, path);
        }
    }
}
