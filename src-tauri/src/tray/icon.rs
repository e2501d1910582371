//! The icon with a dot in its corner, which says how things stand before the menu is opened.

use signalbox_app::dto;
use tauri::image::Image;

/// Red, green, blue.
type Colour = [u8; 3];

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dot {
    /// All is well.
    None,
    /// Something waits for a person.
    Waiting,
    /// The gateway serves nobody, or not everybody.
    Degraded,
    /// All AI traffic is stopped.
    Stopped,
}

impl Dot {
    /// What is worst.
    pub const fn of(status: &dto::Status) -> Self {
        match status.gateway {
            _ if status.stopped.is_some() => Self::Stopped,
            dto::GatewayState::Stopped | dto::GatewayState::Sealed => Self::Degraded,
            dto::GatewayState::Starting | dto::GatewayState::Running if status.approvals_pending > 0 => {
                Self::Waiting
            }
            dto::GatewayState::Starting | dto::GatewayState::Running => Self::None,
        }
    }

    /// Colours that hold on a light panel and on a dark one.
    const fn colour(self) -> Option<Colour> {
        match self {
            Self::None => None,
            Self::Waiting => Some([0x3B, 0x82, 0xF6]),
            Self::Degraded => Some([0xE0, 0x96, 0x1B]),
            Self::Stopped => Some([0xE0, 0x3B, 0x3B]),
        }
    }
}

/// The icon with its dot.
///
/// Errors: the icon of the build is no picture.
pub fn with(dot: Dot) -> tauri::Result<Image<'static>> {
    let plain = Image::from_bytes(include_bytes!("../../icons/tray.png"))?;
    let (width, height) = (plain.width(), plain.height());
    let mut pixels = plain.rgba().to_vec();
    if let Some(colour) = dot.colour() {
        paint(&mut pixels, width, height, colour);
    }
    Ok(Image::new_owned(pixels, width, height))
}

/// Paints a dot into the lower right corner, with a gap around it. `pixels` are red, green, blue and opacity, row by row.
fn paint(pixels: &mut [u8], width: u32, height: u32, colour: Colour) {
    let radius = i64::from(width.min(height)) / 4;
    let gap = radius + radius / 4;
    let (right, low) = (i64::from(width) - radius - 1, i64::from(height) - radius - 1);
    let places = (0..i64::from(height)).flat_map(|y| (0..i64::from(width)).map(move |x| (x, y)));
    for ((x, y), pixel) in places.zip(pixels.chunks_exact_mut(4)) {
        let away = (x - right).pow(2) + (y - low).pow(2);
        let [red, green, blue] = colour;
        if away <= radius.pow(2) {
            pixel.copy_from_slice(&[red, green, blue, u8::MAX]);
        } else if away <= gap.pow(2) {
            pixel.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_is_in_the_lower_right_corner_and_leaves_the_rest_of_the_icon() {
        let (plain, dotted) = (with(Dot::None).unwrap(), with(Dot::Stopped).unwrap());
        let at = |image: &Image<'_>, x: u32, y: u32| {
            let first = usize::try_from((y * image.width() + x) * 4).unwrap();
            image.rgba()[first..first + 4].to_vec()
        };
        let (right, low) = (plain.width() * 3 / 4, plain.height() * 3 / 4);
        assert_eq!(at(&dotted, right, low), [0xE0, 0x3B, 0x3B, 0xFF]);
        let third = plain.rgba().len() / 3;
        assert_eq!(plain.rgba()[..third], dotted.rgba()[..third], "the upper third");
    }
}
