//! The colours, and how they are mixed.
//!
//! Orange adds and blue takes away: the two that people with any common colour blindness tell apart. Blue is the darker
//! one on light ground, so that grey print tells them apart too; and no picture shows a sign by colour alone.

/// Red, green and blue.
pub(crate) type Rgb = [u8; 3];

/// The ground that a picture is shown on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Theme {
    Light,
    Dark,
}

/// What a shape or a text is coloured as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Ground,
    Ink,
    /// Captions and numbers on axes.
    Muted,
    /// Lines that only guide the eye.
    Grid,
    Positive,
    Negative,
    /// Text on bars.
    OnPositive,
    OnNegative,
    /// The ground of words with the largest values, beneath ink.
    PositiveTint,
    NegativeTint,
}

/// For each [`Paint`]: its class in pictures, none if it is on pages only; its name on pages; its colours in both
/// themes.
pub(crate) const LOOKS: [(&str, &str, [Rgb; 2]); 10] = [
    ("g", "ground", [[0xff, 0xff, 0xff], [0x16, 0x17, 0x1b]]),
    ("i", "ink", [[0x16, 0x17, 0x1b], [0xf1, 0xf1, 0xf3]]),
    ("m", "muted", [[0x55, 0x58, 0x60], [0xb3, 0xb6, 0xbe]]),
    ("r", "grid", [[0xd7, 0xd9, 0xde], [0x3c, 0x3f, 0x47]]),
    ("p", "pos", [[0xd2, 0x7a, 0x20], [0xf0, 0xa8, 0x5c]]),
    ("n", "neg", [[0x17, 0x4a, 0x86], [0x4f, 0x8f, 0xd0]]),
    ("op", "on-pos", [[0x11, 0x11, 0x11], [0x11, 0x11, 0x11]]),
    ("on", "on-neg", [[0xff, 0xff, 0xff], [0x11, 0x11, 0x11]]),
    ("", "pos-tint", [[0xf3, 0xa5, 0x55], [0x9a, 0x52, 0x0c]]),
    ("", "neg-tint", [[0x86, 0xb4, 0xe8], [0x1f, 0x5a, 0x9c]]),
];

impl Paint {
    /// The paint of a value's shape.
    pub(crate) fn of(value: f64) -> Self {
        if value < 0.0 { Self::Negative } else { Self::Positive }
    }

    /// The paint of a text upon this.
    pub(crate) fn upon(self) -> Self {
        match self {
            Self::Positive => Self::OnPositive,
            Self::Negative => Self::OnNegative,
            _ => Self::Ink,
        }
    }

    /// Its colour in a theme.
    pub(crate) fn on(self, theme: Theme) -> Rgb {
        LOOKS[self as usize].2[theme as usize]
    }

    /// The attributes of a shape that is filled with it, or drawn in it.
    pub(crate) fn fill(self) -> String {
        format!("class=\"{}\" fill=\"{}\"", LOOKS[self as usize].0, hex(self.on(Theme::Light)))
    }

    pub(crate) fn stroke(self) -> String {
        format!("class=\"s{}\" stroke=\"{}\"", LOOKS[self as usize].0, hex(self.on(Theme::Light)))
    }
}

/// A scale whose lightness ascends all the way, for feature values: cividis (Nuñez, Anderton & Renslow 2018,
/// doi:10.1371/journal.pone.0199239), at nine places.
const CIVIDIS: [Rgb; 9] = [
    [0x00, 0x22, 0x4e],
    [0x12, 0x35, 0x70],
    [0x3b, 0x49, 0x6c],
    [0x57, 0x5d, 0x6d],
    [0x70, 0x71, 0x73],
    [0x8a, 0x86, 0x79],
    [0xa5, 0x9c, 0x74],
    [0xc3, 0xb3, 0x69],
    [0xe1, 0xcc, 0x55],
];

/// As CSS and SVG write it.
pub(crate) fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// So much of `over` upon `under`, from 0 to 1.
pub(crate) fn mix(under: Rgb, over: Rgb, share: f64) -> Rgb {
    let share = share.clamp(0.0, 1.0);
    std::array::from_fn(|k| (f64::from(under[k]) * (1.0 - share) + f64::from(over[k]) * share).round() as u8)
}

/// The colour of a word's ground: `share` is its value as a share of the largest, with its sign.
pub(crate) fn tint(theme: Theme, share: f64) -> Rgb {
    let tint = if share < 0.0 { Paint::NegativeTint } else { Paint::PositiveTint };
    mix(Paint::Ground.on(theme), tint.on(theme), share.abs())
}

/// A colour of the ascending scale, from 0 to 1.
pub(crate) fn sequential(at: f64) -> Rgb {
    let place = at.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f64;
    let below = (place as usize).min(CIVIDIS.len() - 2);
    mix(CIVIDIS[below], CIVIDIS[below + 1], place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(color: Rgb) -> f64 {
        let [r, g, b] = color.map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// WCAG AA: 4.5 for text, 3 for what a picture is made of.
    #[test]
    fn contrasts_suffice() {
        for theme in [Theme::Light, Theme::Dark] {
            let [ink, muted, ground] = [Paint::Ink, Paint::Muted, Paint::Ground].map(|paint| paint.on(theme));
            let [positive, negative] = [Paint::Positive, Paint::Negative].map(|paint| paint.on(theme));
            for (text, ground) in [
                (ink, ground),
                (muted, ground),
                (Paint::OnPositive.on(theme), positive),
                (Paint::OnNegative.on(theme), negative),
            ] {
                assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {}", contrast(text, ground));
            }
            for shape in [positive, negative] {
                assert!(contrast(shape, ground) >= 3.0, "{shape:?}: {}", contrast(shape, ground));
            }
            for percent in -100..=100 {
                let ground = tint(theme, f64::from(percent) / 100.0);
                assert!(contrast(ink, ground) >= 4.5, "{percent}: {}", contrast(ink, ground));
            }
        }
    }

    /// What adds and what takes away differ in lightness, on bars and beneath words.
    #[test]
    fn signs_survive_grey_print() {
        assert!(contrast(Paint::Positive.on(Theme::Light), Paint::Negative.on(Theme::Light)) > 2.0);
        assert!(contrast(Paint::Positive.on(Theme::Dark), Paint::Negative.on(Theme::Dark)) > 1.5);
    }

    #[test]
    fn the_scale_ascends_in_lightness() {
        let lightness: Vec<f64> = (0..=100).map(|k| luminance(sequential(f64::from(k) / 100.0))).collect();
        assert!(lightness.is_sorted());
    }
}
