//! Texts that come from elsewhere, written so that a reader sees all that is in them: names of players, and what files
//! say of themselves.
//!
//! White space that would not be seen has symbols, and other characters that are not seen stand as their numbers. So
//! none of them breaks a line, tells a terminal to do something, or turns the direction of what stands beside it.

use std::fmt::{self, Write};

/// What stands for a text of no characters.
const EMPTY: &str = "(empty)";

/// The controls around a text whose own direction must not reach beyond it: first strong isolate, and its end. They are
/// the only controls of direction that this crate writes, and always both.
const ISOLATE: char = '\u{2068}';
const END: char = '\u{2069}';

/// A text of a file, or of another process, as errors print it.
pub(crate) struct Visible<'a>(pub(crate) &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&isolated(&visible(self.0)))
    }
}

/// The name of a player, as tables, errors and pictures show it: names that differ are shown different.
pub(crate) fn label(name: &str) -> String {
    if name.trim_matches('"') == EMPTY {
        return format!("\"{name}\"");
    }
    // A name that spells out the number of a character is not taken for that character.
    visible(&name.replace("\\u{", "\\u{5c}u{"))
}

/// A text that stands beside others: one that is written from right to left does not turn what comes after it.
pub(crate) fn isolated(text: &str) -> String {
    let turns = |c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    };
    if text.contains(turns) { format!("{ISOLATE}{text}{END}") } else { text.to_owned() }
}

/// How many characters a text is wide, without those that isolate it.
pub(crate) fn count(text: &str) -> usize {
    text.chars().filter(|c| !matches!(*c, ISOLATE | END)).count()
}

fn visible(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    // The character before, if it was written as it is.
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied();
        let kept = if c == ' ' { separates(before, after) } else { !is_hidden(c) || joins(before, c, after) };
        match c {
            _ if kept => shown.push(c),
            ' ' => shown.push('␣'),
            '\n' => shown.push('↵'),
            '\t' => shown.push('⇥'),
            // Writing to a string cannot fail.
            _ => _ = write!(shown, "{}", c.escape_unicode()),
        }
        before = kept.then_some(c);
    }
    shown
}

/// Whether a space is seen: XML takes those at the ends of a text away, and makes one of several.
fn separates(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(|c| c != ' ') && after.is_some_and(|c| c != ' ')
}

/// Whether a character of no width is part of how its neighbours look: in emoji, and where letters join.
fn joins(before: Option<char>, c: char, after: Option<char>) -> bool {
    let beyond_ascii = |c: Option<char>| c.is_some_and(|c| !c.is_ascii());
    match c {
        '\u{200c}' | '\u{200d}' => beyond_ascii(before) && beyond_ascii(after.filter(|c| !is_hidden(*c))),
        '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            beyond_ascii(before) || (before.is_some() && after == Some('\u{20e3}'))
        }
        _ => false,
    }
}

/// Whether a reader does not see a character, or would take it for another.
fn is_hidden(c: char) -> bool {
    let blank = c.is_control() || (c.is_whitespace() && c != ' ');
    // What stands for white space here.
    let symbol = matches!(c, '␣' | '↵' | '⇥');
    // Characters to be ignored where a font has no picture of them (Unicode's Default_Ignorable_Code_Point): controls
    // of direction, joiners, fillers, tags. Then a blank of Braille, controls of annotations, and what XML cannot hold.
    blank
        || symbol
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || matches!(c, '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_shown() {
        for (name, shown) in [
            ("", "(empty)"),
            ("(empty)", "\"(empty)\""),
            ("\"(empty)\"", "\"\"(empty)\"\""),
            (" ", "␣"),
            ("\n\n", "↵↵"),
            (" good", "␣good"),
            ("two  words", "two␣␣words"),
            ("two words", "two words"),
            ("a\tb", "a⇥b"),
            ("␣", "\\u{2423}"),
            ("\u{200b}", "\\u{200b}"),
            ("a\u{a0}b", "a\\u{a0}b"),
            ("a\0b\u{1b}[31m", "a\\u{0}b\\u{1b}[31m"),
            ("\u{202e}ten", "\\u{202e}ten"),
            ("\\u{202e}ten", "\\u{5c}u{202e}ten"),
            ("\\n", "\\n"),
            ("plain ü 漢", "plain ü 漢"),
        ] {
            assert_eq!(label(name), shown, "{name:?}");
        }
    }

    #[test]
    fn what_joins_letters_and_emoji_stays() {
        for name in ["👩‍👩‍👧", "❤️‍🔥", "1️⃣", "می‌خواهم"] {
            assert_eq!(label(name), name);
        }
        assert_eq!(label("a\u{200d}"), "a\\u{200d}");
        assert_eq!(label("\u{fe0f}"), "\\u{fe0f}");
    }

    #[test]
    fn texts_from_right_to_left_are_isolated() {
        assert_eq!(isolated("plain ü 漢"), "plain ü 漢");
        assert_eq!(isolated("שלום"), "\u{2068}שלום\u{2069}");
        assert_eq!(Visible("\u{202e}שלום").to_string(), "\u{2068}\\u{202e}שלום\u{2069}");
        assert_eq!(count(&isolated("שלום")), 4);
    }

    /// Names that differ are shown different.
    #[test]
    fn no_two_names_are_shown_alike() {
        let pieces = ["", "a", " ", "\n", "␣", "↵", "\\", "\\u{a}", "u{5c}", "\"", "(empty)", "\u{200b}", "\u{2068}"];
        let mut seen = std::collections::HashMap::new();
        for (a, b, c) in pieces
            .iter()
            .flat_map(|a| pieces.iter().map(move |b| (a, b)))
            .flat_map(|(a, b)| pieces.iter().map(move |c| (a, b, c)))
        {
            let name = [*a, *b, *c].concat();
            let other = seen.insert(label(&name), name.clone());
            assert!(other.as_ref().is_none_or(|other| *other == name), "{name:?} and {other:?}");
        }
    }
}
