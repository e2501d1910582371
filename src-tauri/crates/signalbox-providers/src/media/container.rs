//! How long a recording lasts, read from the header of its file without decoding it.
//!
//! Only what the header says exactly is used; a file whose length would have to be guessed has none here. A header may
//! lie, so its word sizes a reservation and an estimate, never a bill that a provider reports itself.

/// More samples a second than any recording has.
const SAMPLE_RATE_MAX: u64 = 1_000_000;

/// Bytes at the end of a file in which the last page of an Ogg stream begins.
const OGG_TAIL: usize = 128 * 1024;

/// Milliseconds that `bytes` play, rounded up; `None` when the header does not say.
pub(super) fn millis(bytes: &[u8]) -> Option<u64> {
    let millis = if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE") {
        wav(bytes)
    } else if bytes.starts_with(b"fLaC") {
        flac(bytes)
    } else if bytes.starts_with(b"OggS") {
        ogg(bytes)
    } else if bytes.get(4..8) == Some(b"ftyp") {
        mp4(bytes)
    } else {
        mp3(bytes)
    };
    millis.filter(|millis| *millis > 0)
}

/// `count` of `rate` a second, in milliseconds, rounded up.
fn millis_of(count: u64, rate: u64) -> Option<u64> {
    if rate == 0 || rate > SAMPLE_RATE_MAX * 64 {
        return None;
    }
    count.checked_mul(1000).map(|scaled| scaled.div_ceil(rate))
}

fn le16(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(u64::from(u16::from_le_bytes(field.try_into().ok()?)))
}

fn le32(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u64::from(u32::from_le_bytes(field.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u64::from(u32::from_be_bytes(field.try_into().ok()?)))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_be_bytes(field.try_into().ok()?))
}

/// RIFF WAVE: the bytes of its data over the bytes of a second. A data chunk that claims more than the file holds, as
/// streamed files do, is taken as what is there.
fn wav(bytes: &[u8]) -> Option<u64> {
    let mut at = 12_usize;
    let mut byte_rate = None;
    loop {
        let name = bytes.get(at..at.checked_add(4)?)?;
        let size = le32(bytes, at.checked_add(4)?)?;
        let body = at.checked_add(8)?;
        match name {
            b"fmt " => {
                let (format, channels) = (le16(bytes, body)?, le16(bytes, body.checked_add(2)?)?);
                let rate = le32(bytes, body.checked_add(4)?)?;
                let bits = le16(bytes, body.checked_add(14)?)?;
                // What a decoder goes by; the byte rate itself is only needed where samples are compressed.
                byte_rate = Some(match format {
                    1 | 3 => rate.checked_mul(channels.checked_mul(bits)? / 8)?,
                    _ => le32(bytes, body.checked_add(8)?)?,
                });
            }
            b"data" => {
                let there = u64::try_from(bytes.len().saturating_sub(body)).ok()?;
                return millis_of(size.min(there), byte_rate?);
            }
            _ => {}
        }
        // Chunks begin at even places.
        let size = usize::try_from(size.checked_add(size % 2)?).ok()?;
        at = body.checked_add(size)?;
    }
}

/// FLAC: the stream's own count of samples; 0 there means unknown.
fn flac(bytes: &[u8]) -> Option<u64> {
    let packed = be64(bytes, 18)?;
    let (rate, samples) = (packed >> 44, packed & 0xF_FFFF_FFFF);
    millis_of(samples, rate)
}

/// Ogg with Opus or Vorbis: the position of its last page.
fn ogg(bytes: &[u8]) -> Option<u64> {
    let segments = usize::from(*bytes.get(26)?);
    let head = bytes.get(27_usize.checked_add(segments)?..)?;
    let (rate, skipped) = if head.starts_with(b"OpusHead") {
        (48_000, le16(head, 10)?)
    } else if head.starts_with(b"\x01vorbis") {
        (le32(head, 12)?, 0)
    } else {
        return None;
    };
    let tail = bytes.get(bytes.len().saturating_sub(OGG_TAIL)..)?;
    let last = tail.windows(4).rposition(|window| window == b"OggS")?;
    let low = le32(tail, last.checked_add(6)?)?;
    let high = le32(tail, last.checked_add(10)?)?;
    let position = high.checked_shl(32)? | low;
    // All ones: no packet ends on the page.
    if position == u64::MAX {
        return None;
    }
    millis_of(position.saturating_sub(skipped), rate)
}

/// MP4 and M4A: `moov/mvhd`.
fn mp4(bytes: &[u8]) -> Option<u64> {
    let moov = mp4_box(bytes, *b"moov")?;
    let mvhd = mp4_box(moov, *b"mvhd")?;
    match mvhd.first()? {
        1 => millis_of(be64(mvhd, 24)?, be32(mvhd, 20)?),
        _ => millis_of(be32(mvhd, 16)?, be32(mvhd, 12)?),
    }
}

/// The body of the first box of that name.
fn mp4_box(bytes: &[u8], wanted: [u8; 4]) -> Option<&[u8]> {
    let mut at = 0_usize;
    loop {
        let size = be32(bytes, at)?;
        let name = bytes.get(at.checked_add(4)?..at.checked_add(8)?)?;
        let (head, size) = match size {
            1 => (16_usize, be64(bytes, at.checked_add(8)?)?),
            0 => (8, u64::try_from(bytes.len().checked_sub(at)?).ok()?),
            size => (8, size),
        };
        let end = at.checked_add(usize::try_from(size).ok()?)?;
        if name == wanted {
            return bytes.get(at.checked_add(head)?..end.min(bytes.len()));
        }
        // A box smaller than its head would never end.
        if end <= at.checked_add(7)? {
            return None;
        }
        at = end;
    }
}

/// MP3: the sum of its frames, each of which says its own length. Walking them is exact for constant and variable rates.
fn mp3(bytes: &[u8]) -> Option<u64> {
    let mut at = id3_bytes(bytes)?;
    let mut micros = 0_u64;
    let mut frames = 0_u64;
    while let Some(frame) = bytes.get(at..).and_then(Mp3Frame::read) {
        micros = micros.checked_add(frame.micros)?;
        frames += 1;
        at = at.checked_add(frame.bytes)?;
    }
    // One chance match is no file.
    (frames >= 2 || frames == 1 && at >= bytes.len()).then(|| micros.div_ceil(1000))
}

/// Length of the tag in front of the sound.
fn id3_bytes(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(b"ID3") {
        return Some(0);
    }
    let size = bytes.get(6..10)?.iter().fold(0_usize, |size, part| size << 7 | usize::from(part & 0x7F));
    size.checked_add(10)
}

struct Mp3Frame {
    bytes: usize,
    micros: u64,
}

impl Mp3Frame {
    /// The frame that begins here. Source: ISO 11172-3, ISO 13818-3.
    fn read(bytes: &[u8]) -> Option<Self> {
        const RATES_1: [u64; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const RATES_2: [u64; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        const HERTZ: [u64; 3] = [44_100, 48_000, 32_000];
        let (&first, &second, &third) = (bytes.first()?, bytes.get(1)?, bytes.get(2)?);
        let (version, layer) = ((second >> 3) & 3, (second >> 1) & 3);
        // Layer III of version 1, 2 or 2.5.
        if first != 0xFF || second & 0xE0 != 0xE0 || layer != 1 || version == 1 {
            return None;
        }
        let is_1 = version == 3;
        let index = usize::from(third >> 4).checked_sub(1)?;
        let kilobits = *if is_1 { RATES_1 } else { RATES_2 }.get(index)?;
        let hertz = HERTZ.get(usize::from((third >> 2) & 3))?
            >> match version {
                3 => 0,
                2 => 1,
                _ => 2,
            };
        let samples = if is_1 { 1152 } else { 576 };
        let padding = u64::from((third >> 1) & 1);
        let length = (samples / 8 * kilobits * 1000 / hertz).checked_add(padding)?;
        Some(Self { bytes: usize::try_from(length).ok()?, micros: samples * 1_000_000 / hertz })
    }
}

/// A WAV file around 16-bit samples of one channel.
pub(super) fn wav_of_pcm16(pcm: &[u8], hertz: u32) -> Vec<u8> {
    let length = u32::try_from(pcm.len()).unwrap_or(u32::MAX);
    let mut wav = Vec::with_capacity(pcm.len().saturating_add(44));
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend_from_slice(&hertz.to_le_bytes());
    wav.extend_from_slice(&hertz.saturating_mul(2).to_le_bytes());
    wav.extend_from_slice(b"\x02\0\x10\0data");
    wav.extend_from_slice(&length.to_le_bytes());
    wav.extend_from_slice(pcm);
    wav
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wav_lasts_as_long_as_its_samples() {
        assert_eq!(millis(&wav_of_pcm16(&vec![0; 48_000], 24_000)), Some(1000));
        assert_eq!(millis(&wav_of_pcm16(&[0; 2], 24_000)), Some(1), "rounded up");
        assert_eq!(millis(&wav_of_pcm16(&[], 24_000)), None, "nothing lasts nothing");
    }

    #[test]
    fn a_wav_that_claims_more_than_it_holds_lasts_what_it_holds() {
        let mut wav = wav_of_pcm16(&vec![0; 48_000], 24_000);
        wav[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(millis(&wav), Some(1000));
    }

    #[test]
    fn a_lie_about_the_byte_rate_does_not_shorten_plain_samples() {
        let mut wav = wav_of_pcm16(&vec![0; 48_000], 24_000);
        wav[28..32].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(millis(&wav), Some(1000));
    }

    #[test]
    fn an_mp3_is_the_sum_of_its_frames_behind_its_tag() {
        // 128 kbit/s at 44.1 kHz: 417 bytes, 1152 samples.
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0xC4]);
        let frames = frame.repeat(10);
        assert_eq!(millis(&frames), Some(262));
        let tagged = [b"ID3\x04\0\0\0\0\0\x05hello".as_slice(), &frames].concat();
        assert_eq!(millis(&tagged), Some(262));
    }

    #[test]
    fn flac_ogg_and_mp4_say_their_length() {
        let mut flac = b"fLaC\0\0\0\x22".to_vec();
        flac.extend_from_slice(&[0; 10]);
        flac.extend_from_slice(&((44_100_u64 << 44) + 88_200).to_be_bytes());
        assert_eq!(millis(&flac), Some(2000));

        let page = |position: u64, body: &[u8]| {
            let mut page = b"OggS\0\0".to_vec();
            page.extend_from_slice(&position.to_le_bytes());
            page.extend_from_slice(&[0; 12]);
            page.extend_from_slice(&[1, u8::try_from(body.len()).unwrap()]);
            page.extend_from_slice(body);
            page
        };
        let opus = [page(0, b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0"), page(48_312, b"x")].concat();
        assert_eq!(millis(&opus), Some(1000));

        let boxed = |name: &[u8; 4], body: &[u8]| {
            [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], name, body].concat()
        };
        let mvhd = [&[0; 12][..], &1000_u32.to_be_bytes(), &3500_u32.to_be_bytes()].concat();
        let mp4 =
            [boxed(b"ftyp", b"M4A "), boxed(b"free", b""), boxed(b"moov", &boxed(b"mvhd", &mvhd))].concat();
        assert_eq!(millis(&mp4), Some(3500));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_never_a_panic_or_a_loop(
            head in prop::sample::select(vec![
                &b"RIFF\0\0\0\0WAVE"[..], b"fLaC", b"OggS", b"\0\0\0\x08ftyp", b"\xff\xfb\x90", b"ID3", b"",
            ]),
            tail in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            millis(&[head, &tail].concat());
        }
    }
}
