//! Files of silence that play.

/// Samples a second.
const HERTZ: u64 = 24_000;

/// Longest silence. Units: milliseconds.
const MILLIS_MAX: u64 = 10 * 60 * 1000;

/// 16-bit samples of one channel, without a header.
pub(crate) fn pcm(millis: u64) -> Vec<u8> {
    let bytes = millis.min(MILLIS_MAX) * HERTZ / 1000 * 2;
    vec![0; usize::try_from(bytes).unwrap_or(0)]
}

/// The same as a WAV file.
pub(crate) fn wav(millis: u64) -> Vec<u8> {
    let samples = pcm(millis);
    let length = u32::try_from(samples.len()).unwrap_or(u32::MAX);
    let mut wav = b"RIFF".to_vec();
    wav.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend_from_slice(&24_000_u32.to_le_bytes());
    wav.extend_from_slice(&48_000_u32.to_le_bytes());
    wav.extend_from_slice(b"\x02\0\x10\0data");
    wav.extend_from_slice(&length.to_le_bytes());
    wav.extend_from_slice(&samples);
    wav
}

/// MPEG frames of silence: 128 kbit/s at 44.1 kHz, 1152 samples each, at least one.
pub(crate) fn mp3(millis: u64) -> Vec<u8> {
    const FRAME_BYTES: usize = 417;
    let frames = (millis.min(MILLIS_MAX) * 44_100 / 1000).div_ceil(1152).max(1);
    let mut frame = [0; FRAME_BYTES];
    frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0xC4]);
    frame.repeat(usize::try_from(frames).unwrap_or(1))
}

/// How long a WAV file lasts, by its byte rate and the length of its data; `None` for any other file.
pub(crate) fn wav_millis(bytes: &[u8]) -> Option<u64> {
    let field = |at: usize| -> Option<u64> {
        Some(u64::from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)))
    };
    if !bytes.starts_with(b"RIFF") || bytes.get(8..16) != Some(b"WAVEfmt ") {
        return None;
    }
    let (byte_rate, data) = (field(28)?, field(40)?);
    (byte_rate > 0).then(|| data * 1000 / byte_rate)
}

/// Bytes as text. Source: RFC 4648, section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) & 63;
            text.push(if place > chunk.len() { '=' } else { char::from(DIGITS[digit as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_lasts_as_long_as_it_was_asked_to() {
        assert_eq!(wav_millis(&wav(1_500)), Some(1_500));
        assert_eq!(pcm(1_000).len(), 48_000);
        // 39 frames of 26.12 ms.
        assert_eq!(mp3(1_000).len(), 39 * 417);
        assert_eq!(wav_millis(b"ID3"), None);
    }
}
