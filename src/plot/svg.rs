//! SVG text: what all pictures are written with.
//!
//! Colours are attributes, for programs that know SVG and no style sheets; a style sheet changes them where the reader
//! prefers dark ground. No font is named that must be there.

use std::fmt::Write;

pub(crate) use super::color::Paint;
use super::color::{LOOKS, Rgb, Theme, hex};
use super::label::escape;

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
        let ([x, y, size], fill, text) = ([x, y, size].map(at), paint.fill(), escape(text));
        self.put(format_args!("<text x=\"{x}\" y=\"{y}\"{anchor} font-size=\"{size}\" {fill}>{title}{text}</text>"));
    }

    /// A line between two players, by the sign of their interaction, and fainter than others if it is `faint`.
    pub(crate) fn edge(&mut self, [from, to]: [[f64; 2]; 2], width: f64, value: f64, faint: bool, title: &str) {
        let opacity = if faint { " stroke-opacity=\".4\"" } else { "" };
        self.put(format_args!("<g{opacity}><title>{}</title>", escape(title)));
        self.line(from, to, width, Paint::of(value), if value < 0.0 { "7 4" } else { "" });
        self.put(format_args!("</g>"));
    }

    /// A text in the middle, upon lines that are broken around it.
    pub(crate) fn text_on_lines(&mut self, place: [f64; 2], size: f64, text: &str, full: &str) {
        self.put(format_args!(
            "<g class=\"sg\" stroke=\"{}\" stroke-width=\"4\" stroke-linejoin=\"round\" paint-order=\"stroke\">",
            hex(Paint::Ground.on(Theme::Light))
        ));
        self.short_text(place, Anchor::Middle, size, Paint::Ink, text, full);
        self.put(format_args!("</g>"));
    }

    /// A line from one point to another. Dashes are lengths of what is drawn and what is left out, or none.
    pub(crate) fn line(&mut self, [x, y]: [f64; 2], [to_x, to_y]: [f64; 2], width: f64, paint: Paint, dashes: &str) {
        let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        let ([x, y, to_x, to_y, width], stroke) = ([x, y, to_x, to_y, width].map(at), paint.stroke());
        self.put(format_args!("<path d=\"M{x} {y}L{to_x} {to_y}\" stroke-width=\"{width}\" {stroke}{dashes}/>"));
    }

    /// A bar from one place to another, with a tip where it goes to, so that its sign is seen without its colour.
    pub(crate) fn arrow(&mut self, from: f64, to: f64, top: f64, height: f64, paint: Paint, title: &str) {
        let tip = (to - from).abs().min(7.0) * if to < from { -1.0 } else { 1.0 };
        let [from, neck, to] = [from, to - tip, to].map(at);
        let [top, middle, bottom] = [top, top + height / 2.0, top + height].map(at);
        let (fill, title) = (paint.fill(), escape(title));
        let path = format!("M{from} {top}L{neck} {top}L{to} {middle}L{neck} {bottom}L{from} {bottom}Z");
        self.put(format_args!("<path d=\"{path}\" {fill}><title>{title}</title></path>"));
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
        let ([x, y, radius], fill, title) = ([x, y, radius].map(at), paint.fill(), escape(title));
        self.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {fill}><title>{title}</title></circle>"));
    }

    /// Dots of one size in colours of no theme, with an outline that is seen where their colour is not.
    pub(crate) fn dots(&mut self, dots: &[([f64; 2], Rgb)], radius: f64) {
        // The outlines lie below all dots: of dots that cover each other but for a sliver, the slivers are to be seen.
        let outlines: String = dots.iter().map(|([x, y], _)| format!("M{} {}h.01", at(*x), at(*y))).collect();
        let (color, width) = (hex(Paint::Muted.on(Theme::Light)), at(2.0 * radius + 1.5));
        self.put(format_args!(
            "<path d=\"{outlines}\" class=\"sm\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linecap=\"round\"/>"
        ));
        for ([x, y], color) in dots {
            let (x, y, radius, color) = (at(*x), at(*y), at(radius), hex(*color));
            self.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{color}\"/>"));
        }
    }

    /// Thin level lines, each from a point to a place at its right.
    pub(crate) fn strokes(&mut self, strokes: &[([f64; 2], f64)]) {
        let path: String = strokes.iter().map(|([x, y], to)| format!("M{} {}H{}", at(*x), at(*y), at(*to))).collect();
        if !path.is_empty() {
            let color = hex(Paint::Muted.on(Theme::Light));
            self.put(format_args!("<path d=\"{path}\" stroke-width=\".6\" class=\"sm\" stroke=\"{color}\"/>"));
        }
    }

    /// A filled rectangle in a colour of no theme.
    pub(crate) fn block(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], color: Rgb) {
        let ([x, y, width, height], color) = ([x, y, width, height].map(at), hex(color));
        self.put(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{color}\"/>"));
    }

    /// A line through points.
    pub(crate) fn curve(&mut self, points: &[[f64; 2]], width: f64, paint: Paint) {
        let path: Vec<String> = points.iter().map(|[x, y]| format!("{} {}", at(*x), at(*y))).collect();
        let (path, width, stroke) = (path.join("L"), at(width), paint.stroke());
        self.put(format_args!("<path d=\"M{path}\" fill=\"none\" stroke-width=\"{width}\" {stroke}/>"));
    }

    /// The whole picture: a title for those who cannot see it, the ground, and what was drawn.
    pub(crate) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let in_pictures = LOOKS.iter().filter(|(class, ..)| !class.is_empty());
        let dark = in_pictures.map(|(class, _, [_, color])| {
            let color = hex(*color);
            format!(".{class}{{fill:{color}}}.s{class}{{stroke:{color}}}")
        });
        let dark: String = dark.collect();
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
