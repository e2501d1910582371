//! The words of Edge's speech service.

use chrono::DateTime;
use sha2::{Digest, Sha256};
use signalbox_core::failure::FailureKind;
use tokio_tungstenite::tungstenite::Message;

use crate::call::CallError;
use crate::failure::failed;

/// What every copy of the browser calls itself. It is public and no secret.
pub(super) const CLIENT_TOKEN: &str = "6A5AA1D4EAFF4E9FB37E23D68491D6F4";

/// The browser's version, which the service checks.
pub(super) const VERSION: &str = "1-143.0.3650.75";

/// The browser that has that version.
pub(super) const USER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                                     Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0";

/// Longest piece of a text, escaped. Units: bytes.
const PIECE_BYTES_MAX: usize = 4096;

/// From the beginning of Windows' time, the year 1601, to that of Unix. Units: seconds.
const WINDOWS_EPOCH: i64 = 11_644_473_600;

/// How long a token holds. Units: seconds.
const TOKEN_SECONDS: i64 = 300;

/// The token of a moment: Windows' time, rounded down to five minutes, in tenths of a microsecond, hashed with the client's.
pub(super) fn token(now: i64) -> String {
    let seconds = now.saturating_add(WINDOWS_EPOCH);
    let rounded = seconds.saturating_sub(seconds.rem_euclid(TOKEN_SECONDS));
    let hashed = Sha256::digest(format!("{rounded}0000000{CLIENT_TOKEN}"));
    hex::encode_upper(hashed)
}

/// 32 random hexadecimal digits.
pub(super) fn random_id() -> Result<String, CallError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| failed(FailureKind::Network, None, format!("there is no randomness: {error}")))?;
    Ok(hex::encode(bytes))
}

/// One piece of a text to be spoken.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub voice: &'a str,
    /// Escaped.
    pub text: &'a str,
    /// Thousandths of the normal speed.
    pub speed: u64,
}

impl Turn<'_> {
    /// What is sent: the format wanted, then the text.
    pub fn messages(&self, now: i64) -> Result<[String; 2], CallError> {
        let date = DateTime::from_timestamp(now, 0).unwrap_or_default();
        let date = date.format("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)");
        let config = format!(
            "X-Timestamp:{date}\r\nContent-Type:application/json; charset=utf-8\r\nPath:speech.config\r\n\r\n\
             {{\"context\":{{\"synthesis\":{{\"audio\":{{\"metadataoptions\":{{\"sentenceBoundaryEnabled\":\"false\",\
             \"wordBoundaryEnabled\":\"false\"}},\"outputFormat\":\"audio-24khz-48kbitrate-mono-mp3\"}}}}}}}}\r\n"
        );
        // The Z after a zone is how the browser writes it.
        let ssml = format!(
            "X-RequestId:{}\r\nContent-Type:application/ssml+xml\r\nX-Timestamp:{date}Z\r\nPath:ssml\r\n\r\n\
             <speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'><voice name='{}'>\
             <prosody pitch='+0Hz' rate='{}' volume='+0%'>{}</prosody></voice></speak>",
            random_id()?,
            self.voice,
            self.rate(),
            self.text,
        );
        Ok([config, ssml])
    }

    fn rate(&self) -> String {
        let percent = i64::try_from(self.speed / 10).unwrap_or(100).saturating_sub(100);
        format!("{percent:+}%")
    }
}

/// What the service sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// A piece of an MP3 file.
    Sound(&'a [u8]),
    /// The text is spoken.
    End,
    /// News of no interest.
    Other,
}

/// Reads a message; `None` for what is not of the protocol.
pub(super) fn read(message: &Message) -> Option<Incoming<'_>> {
    match message {
        Message::Text(text) => match path_of(text.split("\r\n\r\n").next()?)? {
            "turn.end" => Some(Incoming::End),
            _ => Some(Incoming::Other),
        },
        Message::Binary(bytes) => {
            let length = usize::from(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?));
            let head = std::str::from_utf8(bytes.get(2..length.checked_add(2)?)?).ok()?;
            let body = bytes.get(length.checked_add(2)?..)?;
            Some(if path_of(head)? == "audio" { Incoming::Sound(body) } else { Incoming::Other })
        }
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => Some(Incoming::Other),
    }
}

fn path_of(head: &str) -> Option<&str> {
    head.split("\r\n").find_map(|line| line.strip_prefix("Path:")).map(str::trim)
}

/// The text, escaped for XML and cut between words into pieces the service takes.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let word = escaped(word);
        if !piece.is_empty() && piece.len() + word.len() > PIECE_BYTES_MAX {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.push_str(&word);
    }
    pieces.push(piece);
    pieces.into_iter().flat_map(|piece| cut(&piece)).filter(|piece| !piece.trim().is_empty()).collect()
}

/// A piece without a space to cut at, in parts that end between characters and not inside `&amp;`.
fn cut(piece: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = piece;
    while let Some(first) = rest.chars().next() {
        let unit = match rest.find(';') {
            Some(end) if first == '&' => rest.get(..=end),
            _ => rest.get(..first.len_utf8()),
        };
        let Some(unit) = unit else { break };
        match parts.last_mut() {
            Some(part) if part.len() + unit.len() <= PIECE_BYTES_MAX => part.push_str(unit),
            _ => parts.push(unit.to_owned()),
        }
        rest = rest.get(unit.len()..).unwrap_or_default();
    }
    parts
}

/// For XML, with a space for each control character, which the service does not take.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\r' | '\t' => out.push(char),
            char if char.is_control() => out.push(' '),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_holds_for_five_minutes() {
        // 2026-11-21 14:00:00 UTC.
        let now = 1_795_269_600;
        assert_eq!(token(now), token(now + 299));
        assert_ne!(token(now), token(now + 300));
        let ticks = "134397432000000000";
        assert_eq!(token(now), hex::encode_upper(Sha256::digest(format!("{ticks}{CLIENT_TOKEN}"))));
    }

    #[test]
    fn the_text_cannot_leave_its_place() {
        let hostile = "</prosody></voice><voice name='x'>& \u{0}\u{b}";
        let text = pieces(hostile).concat();
        let turn = Turn { voice: "en-US-AvaMultilingualNeural", text: &text, speed: 1250 };
        let [_, ssml] = turn.messages(0).unwrap();
        assert_eq!((ssml.matches("<voice").count(), ssml.matches("</prosody>").count()), (1, 1), "{ssml}");
        assert!(ssml.contains("rate='+25%'") && ssml.contains("&amp;") && !ssml.contains('\u{b}'));
        assert_eq!(Turn { speed: 250, ..turn }.rate(), "-75%");
    }

    #[test]
    fn sound_and_the_end_are_told_from_news() {
        let binary = |head: &str, body: &[u8]| {
            let length = u16::try_from(head.len()).unwrap().to_be_bytes();
            Message::binary([&length[..], head.as_bytes(), body].concat())
        };
        let sound = binary("X-RequestId:1\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n", b"mp3");
        assert_eq!(read(&sound), Some(Incoming::Sound(b"mp3")));
        assert_eq!(read(&Message::text("X-RequestId:1\r\nPath:turn.end\r\n\r\n{}")), Some(Incoming::End));
        assert_eq!(read(&Message::text("X-RequestId:1\r\nPath:turn.start\r\n\r\n{}")), Some(Incoming::Other));
        for bad in [Message::text("hello"), Message::binary(vec![0]), Message::binary(vec![255, 255, 1])] {
            assert_eq!(read(&bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_short_and_hold_the_whole_text(text in "[ a-z&<>äß😀]{0,9000}") {
            let pieces = pieces(&text);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES_MAX));
            let words = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(words(&pieces.concat()), words(&escaped(&text)));
        }
    }
}
