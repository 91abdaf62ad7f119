//! Labels: made harmless, measured, and shortened.

/// A label that XML can hold and a reader can see: what XML forbids is replaced, white space is a space, and nothing at
/// all is said.
pub(crate) fn clean(label: &str) -> String {
    let text: String = label
        .chars()
        .map(|c| match c {
            _ if c.is_whitespace() => ' ',
            _ if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
            _ => c,
        })
        .collect();
    if text.trim().is_empty() { "(empty)".to_owned() } else { text }
}

/// A label that stands beside other text: one that is written from right to left, or turns the direction, does not turn
/// what comes after it.
pub(crate) fn isolated(label: &str) -> String {
    let turns = |c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    };
    // First-strong isolate, and its end.
    if label.contains(turns) { format!("\u{2068}{label}\u{2069}") } else { label.to_owned() }
}

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
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.95,
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

/// As much of a text as fits, with an ellipsis where something is missing.
pub(crate) fn shorten(text: &str, most: f64, size: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = most - width("…", size);
    for c in text.chars() {
        left -= em(c) * size;
        if left < 0.0 {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end_matches([' ', '\u{200d}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_harmless() {
        assert_eq!(clean("a\0b\u{1b}[31m\n"), "a\u{fffd}b\u{fffd}[31m ");
        assert_eq!(clean(" \t"), "(empty)");
        assert_eq!(escape("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
    }

    #[test]
    fn labels_from_right_to_left_are_isolated() {
        assert_eq!(isolated("plain ü 漢"), "plain ü 漢");
        assert_eq!(isolated("שלום"), "\u{2068}שלום\u{2069}");
        assert_eq!(isolated("\u{202e}x"), "\u{2068}\u{202e}x\u{2069}");
    }

    #[test]
    fn what_is_shortened_fits() {
        let long = "Über".repeat(200);
        for most in [10.0, 50.0, 200.0] {
            let short = shorten(&long, most, 14.0);
            assert!(short.ends_with('…') && width(&short, 14.0) <= most + 14.0, "{short}");
        }
        assert_eq!(shorten("short", 200.0, 14.0), "short");
    }
}
