//! Labels in pictures: measured, and shortened so that they stay apart.

/// Text as XML wants it, in elements and in attributes.
pub(crate) fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&#39;")
}

/// About how wide a text is, in units of its size. No font is at hand, so it is a little more than the widths of common
/// sans-serif ones.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | 'I' | '.' | ',' | ':' | ';' | '!' | '|' | '\'' | ' ' | '(' | ')' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '␣' | '↵' | '⇥' => 0.95,
        'A'..='Z' | '&' | '+' | '−' | '±' | '=' | '<' | '>' => 0.72,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => 0.0,
        '\u{fe00}'..='\u{fe0f}' => 0.0,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' => 1.05,
        '\u{ff00}'..='\u{ff60}' | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}' => 1.3,
        _ => 0.6,
    }
}

/// About how many pixels a text takes at a font size.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// The most characters of a word that are kept before the one that tells two labels apart.
const CONTEXT: usize = 8;

/// Labels as they are shown in their rooms, of so many pixels each: whole where they fit, or with an ellipsis for each
/// stretch that is left out. Labels that differ are shown different, unless the characters in which they differ alone
/// take more than the room.
pub(crate) fn fitted(labels: &[&str], rooms: &[f64], size: f64) -> Vec<String> {
    let glyphs: Vec<Vec<&str>> = labels.iter().map(|label| glyphs(label)).collect();
    let shortened = |context: usize| -> Vec<String> {
        (0..labels.len())
            .map(|k| match rooms[k] {
                room if width(labels[k], size) <= room => labels[k].to_owned(),
                room => shortened(&glyphs[k], &parting(&glyphs, k), context, room, size),
            })
            .collect()
    };
    let shown = shortened(CONTEXT);
    // Where there is no room for words, letters may do.
    if all_apart(labels, &shown) { shown } else { shortened(0) }
}

/// Whether labels that differ are shown different.
fn all_apart(labels: &[&str], shown: &[String]) -> bool {
    let mut pairs: Vec<(&String, &&str)> = shown.iter().zip(labels).collect();
    pairs.sort_unstable();
    pairs.windows(2).all(|pair| pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1)
}

/// The places at which a label parts from others: the first in which it differs from each of them. Who sees what stands
/// at these can tell it from all others. Where another goes on after its end, that is the place after its last.
fn parting(labels: &[Vec<&str>], k: usize) -> Vec<usize> {
    let label = &labels[k];
    let others = labels.iter().filter(|other| *other != label);
    let mut places: Vec<usize> =
        others.map(|other| label.iter().zip(other).take_while(|(a, b)| a == b).count()).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// As much of a label as fits: what stands where it parts from others, with the words that these places are in from
/// their beginnings; then its own beginning and what follows, as far as there is room.
fn shortened(glyphs: &[&str], parting: &[usize], context: usize, room: f64, size: f64) -> String {
    let fits = |kept: &[bool]| width(&joined(glyphs, kept), size) <= room;
    let mut kept = vec![false; glyphs.len()];
    for &place in parting {
        // What stands before the place is the same in both labels, so they keep the same of it.
        let word = (place.saturating_sub(context)..place).rev().take_while(|&k| glyphs[k] != " ").last();
        kept[word.unwrap_or(place)..glyphs.len().min(place + 1)].fill(true);
    }
    let mut after = parting.last().map_or(0, |place| place + 1);
    if !fits(&kept) {
        kept.fill(false);
        after = 0;
    }
    let (mut first, mut open) = (0, [true, true]);
    while open.contains(&true) {
        for side in [0, 1] {
            let next = if side == 0 { &mut first } else { &mut after };
            while kept.get(*next) == Some(&true) {
                *next += 1;
            }
            if !open[side] || *next >= glyphs.len() {
                open[side] = false;
                continue;
            }
            kept[*next] = true;
            if !fits(&kept) {
                kept[*next] = false;
                open[side] = false;
            }
        }
    }
    joined(glyphs, &kept)
}

/// What is kept of a label, with an ellipsis for each stretch that is not. A stretch that is no wider than that stays.
fn joined(glyphs: &[&str], kept: &[bool]) -> String {
    let mut text = String::new();
    for (k, glyph) in glyphs.iter().enumerate() {
        let begins = k == 0 || kept[k - 1];
        let ends = kept.get(k + 1).is_none_or(|kept| *kept);
        if kept[k] || (begins && ends && width(glyph, 1.0) <= em('…')) {
            text.push_str(glyph);
        } else if begins {
            text.truncate(text.trim_end_matches(' ').len());
            text.push('…');
        }
    }
    text
}

/// The stretches of a label that are not to be cut: a character with what combines with it.
fn glyphs(label: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = Vec::new();
    let mut joins = false;
    for (at, c) in label.char_indices() {
        let belongs = joins || c == '\u{200d}' || em(c) <= 0.0 || matches!(c, '\u{1f3fb}'..='\u{1f3ff}');
        if !belongs || starts.is_empty() {
            starts.push(at);
        }
        joins = c == '\u{200d}';
    }
    let ends = starts.iter().skip(1).copied().chain([label.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &label[start..end]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::label;
    use proptest::prelude::*;

    fn shown(labels: &[&str], room: f64) -> Vec<String> {
        fitted(labels, &vec![room; labels.len()], 14.0)
    }

    #[test]
    fn text_is_harmless_in_xml() {
        assert_eq!(escape("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
    }

    #[test]
    fn what_is_shortened_fits() {
        let long = "Über".repeat(200);
        for room in [20.0, 50.0, 200.0] {
            let [short, other] = <[String; 2]>::try_from(shown(&[&long, "short"], room)).expect("two labels");
            assert!(short.ends_with('…') && width(&short, 14.0) <= room, "{short}");
            assert!(other == "short" || room < 40.0);
        }
    }

    #[test]
    fn what_labels_have_in_common_is_left_out() {
        let labels = [9, 10, 12].map(|k| format!("a measurement with quite a long name, number {k}"));
        let labels = labels.each_ref().map(String::as_str);
        assert_eq!(shown(&labels, 140.0), ["a measurement…9", "a measurement…10", "a measurement…12"]);
        let labels = ["mean of the acidity (fixed), in grams", "mean of the acidity (volatile), in grams", "pH"];
        assert_eq!(shown(&labels, 140.0), ["mean of…(fixed),…", "mean of…(volatil…", "pH"]);
        // One that is the beginning of the other.
        let labels = ["the concentration of sulphates", "the concentration of sulphates, squared"];
        assert_eq!(shown(&labels, 140.0), ["the conc…ulphates", "the…ulphates, sq…"]);
    }

    #[test]
    fn glyphs_are_not_cut() {
        assert_eq!(glyphs("ae\u{301}👩‍👩‍👧👍🏽b"), ["a", "e\u{301}", "👩‍👩‍👧", "👍🏽", "b"]);
    }

    proptest! {
        /// Labels of a common beginning, of what differs, and of a common end.
        #[test]
        fn labels_that_differ_are_shown_different(
            begin in "([ab]{1,6} ){0,8}", middles in prop::collection::vec("[ab1-3]{0,4}", 2..20), end in "( [ab]{1,6}){0,8}",
            wider in 0..3_usize
        ) {
            let labels: Vec<String> = middles.iter().map(|middle| label(&format!("{begin}{middle}{end}"))).collect();
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let rooms: Vec<f64> = (0..labels.len()).map(|k| 140.0 + (k * wider % 7) as f64 * 9.0).collect();
            let shown = fitted(&labels, &rooms, 14.0);
            prop_assert!(all_apart(&labels, &shown), "{shown:?} of {labels:?}");
            for (text, room) in shown.iter().zip(rooms) {
                prop_assert!(width(text, 14.0) <= room, "{text} in {room}");
            }
        }
    }
}
