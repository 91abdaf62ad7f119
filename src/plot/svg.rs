//! SVG text: what all pictures are written with.
//!
//! Colours are attributes, for programs that know SVG and no style sheets; a style sheet changes them where the reader
//! prefers dark ground. No font is named that must be there.

use std::fmt::Write;

use super::color::{DARK, LIGHT, Rgb, Theme, hex};
use super::label::escape;

type ColorOf = fn(&Theme) -> Rgb;

/// What a shape or a text is coloured as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Ground,
    Ink,
    Muted,
    Grid,
    Positive,
    Negative,
    OnPositive,
    OnNegative,
}

impl Paint {
    /// What a value is drawn in.
    pub(crate) fn of(value: f64) -> Self {
        if value < 0.0 { Self::Negative } else { Self::Positive }
    }

    /// What is written upon this.
    pub(crate) fn upon(self) -> Self {
        match self {
            Self::Positive => Self::OnPositive,
            Self::Negative => Self::OnNegative,
            _ => Self::Ink,
        }
    }

    /// The class and the colour of each variant.
    const LOOKS: [(&str, ColorOf); 8] = [
        ("g", |theme| theme.ground),
        ("i", |theme| theme.ink),
        ("m", |theme| theme.muted),
        ("r", |theme| theme.grid),
        ("p", |theme| theme.positive),
        ("n", |theme| theme.negative),
        ("op", |theme| theme.on_positive),
        ("on", |theme| theme.on_negative),
    ];

    fn fill(self) -> String {
        let (class, color) = Self::LOOKS[self as usize];
        format!("class=\"{class}\" fill=\"{}\"", hex(color(&LIGHT)))
    }

    fn stroke(self) -> String {
        let (class, color) = Self::LOOKS[self as usize];
        format!("class=\"s{class}\" stroke=\"{}\"", hex(color(&LIGHT)))
    }
}

/// Where a text is held.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// The width of most pictures.
pub(crate) const WIDTH: f64 = 720.0;

/// The font size of labels.
pub(crate) const SIZE: f64 = 14.0;

/// The font size of axes and captions.
pub(crate) const SMALL: f64 = 12.0;

/// A picture as it grows.
#[derive(Debug, Default)]
pub(crate) struct Svg {
    body: String,
}

/// A coordinate: hundredths of a pixel are enough.
fn at(x: f64) -> String {
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

impl Svg {
    fn put(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.body.write_fmt(arguments);
        self.body.push('\n');
    }

    /// A text, with what it says in full if that is something else.
    pub(crate) fn text(&mut self, place: [f64; 2], anchor: Anchor, size: f64, paint: Paint, text: &str) {
        self.short_text(place, anchor, size, paint, text, text);
    }

    /// Text that may be a shortened form of another, which is its title then.
    pub(crate) fn short_text(
        &mut self,
        [x, y]: [f64; 2],
        anchor: Anchor,
        size: f64,
        paint: Paint,
        text: &str,
        full: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let title = if text == full { String::new() } else { format!("<title>{}</title>", escape(full)) };
        self.put(format_args!(
            "<text x=\"{}\" y=\"{}\"{anchor} font-size=\"{}\" {}>{title}{}</text>",
            at(x),
            at(y),
            at(size),
            paint.fill(),
            escape(text)
        ));
    }

    /// A text in the middle, upon lines that are broken around it.
    pub(crate) fn text_on_lines(&mut self, place: [f64; 2], size: f64, text: &str, full: &str) {
        self.put(format_args!(
            "<g class=\"sg\" stroke=\"{}\" stroke-width=\"4\" stroke-linejoin=\"round\" paint-order=\"stroke\">",
            hex(LIGHT.ground)
        ));
        self.short_text(place, Anchor::Middle, size, Paint::Ink, text, full);
        self.put(format_args!("</g>"));
    }

    /// A line from one point to another. Dashes are lengths of what is drawn and what is left out, or none.
    pub(crate) fn line(&mut self, [x, y]: [f64; 2], [to_x, to_y]: [f64; 2], width: f64, paint: Paint, dashes: &str) {
        let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        self.put(format_args!(
            "<path d=\"M{} {}L{} {}\" stroke-width=\"{}\" {}{dashes}/>",
            at(x),
            at(y),
            at(to_x),
            at(to_y),
            at(width),
            paint.stroke()
        ));
    }

    /// A bar from one place to another, with a tip where it goes to, so that its sign is seen without its colour.
    pub(crate) fn arrow(&mut self, from: f64, to: f64, top: f64, height: f64, paint: Paint, title: &str) {
        let tip = (to - from).abs().min(7.0) * if to < from { -1.0 } else { 1.0 };
        let (neck, middle, bottom) = (to - tip, top + height / 2.0, top + height);
        self.put(format_args!(
            "<path d=\"M{0} {1}L{2} {1}L{3} {4}L{2} {5}L{0} {5}Z\" {6}><title>{7}</title></path>",
            at(from),
            at(top),
            at(neck),
            at(to),
            at(middle),
            at(bottom),
            paint.fill(),
            escape(title)
        ));
    }

    /// A whisker of one standard error to either side.
    pub(crate) fn whisker(&mut self, low: f64, high: f64, y: f64) {
        let ends = |x: f64| ([x, y - 4.0], [x, y + 4.0]);
        for (width, paint) in [(4.0, Paint::Ground), (1.5, Paint::Ink)] {
            for (from, to) in [([low, y], [high, y]), ends(low), ends(high)] {
                self.line(from, to, width, paint, "");
            }
        }
    }

    /// A disc with an outline of the ground's colour.
    pub(crate) fn disc(&mut self, [x, y]: [f64; 2], radius: f64, paint: Paint, title: &str) {
        self.put(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}><title>{}</title></circle>",
            at(x),
            at(y),
            at(radius),
            paint.fill(),
            escape(title)
        ));
    }

    /// Dots of one size in colours of no theme, with an outline that is seen where their colour is not.
    pub(crate) fn dots(&mut self, dots: &[([f64; 2], Rgb)], radius: f64) {
        self.put(format_args!("<g class=\"sm\" stroke=\"{}\" stroke-width=\".5\">", hex(LIGHT.muted)));
        for ([x, y], color) in dots {
            let (x, y, radius, color) = (at(*x), at(*y), at(radius), hex(*color));
            self.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{color}\"/>"));
        }
        self.put(format_args!("</g>"));
    }

    /// Thin level lines, each from a point to a place at its right.
    pub(crate) fn strokes(&mut self, strokes: &[([f64; 2], f64)]) {
        let path: String = strokes.iter().map(|([x, y], to)| format!("M{} {}H{}", at(*x), at(*y), at(*to))).collect();
        if !path.is_empty() {
            let color = hex(LIGHT.muted);
            self.put(format_args!("<path d=\"{path}\" stroke-width=\".6\" class=\"sm\" stroke=\"{color}\"/>"));
        }
    }

    /// A filled rectangle in a colour of no theme.
    pub(crate) fn block(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], color: Rgb) {
        self.put(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
            at(x),
            at(y),
            at(width),
            at(height),
            hex(color)
        ));
    }

    /// A line through points.
    pub(crate) fn curve(&mut self, points: &[[f64; 2]], width: f64, paint: Paint) {
        let path: Vec<String> = points.iter().map(|[x, y]| format!("{} {}", at(*x), at(*y))).collect();
        self.put(format_args!(
            "<path d=\"M{}\" fill=\"none\" stroke-width=\"{}\" {}/>",
            path.join("L"),
            at(width),
            paint.stroke()
        ));
    }

    /// The whole picture: a title for those who cannot see it, the ground, and what was drawn.
    pub(crate) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let dark = Paint::LOOKS.map(|(class, color)| {
            let color = hex(color(&DARK));
            format!(".{class}{{fill:{color}}}.s{class}{{stroke:{color}}}")
        });
        let dark = dark.concat();
        let (width, height, title) = (at(width), at(height), escape(title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" aria-label=\"{title}\" style=\"max-width:100%;height:auto\" \
             font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\">\n\
             <style>@media (prefers-color-scheme:dark){{{dark}}}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" {}/>\n{}</svg>\n",
            Paint::Ground.fill(),
            self.body
        )
    }
}
