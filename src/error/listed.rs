//! Stretches of numbers in the text of an error.

use std::fmt;
use std::ops::Range;

/// Numbers of parts as people write them: "part 3", "parts 0 to 2, 5 and 7 to 9".
pub(super) struct Listed<'a>(pub(super) &'a [Range<u64>]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More ranges than this are not listed: a thousand job numbers in an error help nobody.
        const MOST: usize = 8;
        let ranges = self.0;
        let one = matches!(ranges, [range] if range.end - range.start == 1);
        f.write_str(if one { "part " } else { "parts " })?;
        let shown = ranges.len().min(MOST);
        for (place, range) in ranges[..shown].iter().enumerate() {
            let last = place + 1 == ranges.len();
            f.write_str(if place == 0 {
                ""
            } else if last {
                " and "
            } else {
                ", "
            })?;
            match range.end - range.start {
                1 => write!(f, "{}", range.start)?,
                _ => write!(f, "{} to {}", range.start, range.end - 1)?,
            }
        }
        if shown < ranges.len() { write!(f, " and others, up to {}", ranges[ranges.len() - 1].end - 1) } else { Ok(()) }
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of one range")]
mod tests {
    use super::*;

    #[test]
    fn lists_are_short() {
        let text = |ranges: &[Range<u64>]| Listed(ranges).to_string();
        assert_eq!(text(&[3..4]), "part 3");
        assert_eq!(text(&[3..5]), "parts 3 to 4");
        assert_eq!(text(&[0..3, 5..6, 7..10]), "parts 0 to 2, 5 and 7 to 9");
        let many: Vec<_> = (0..100).map(|k| 2 * k..2 * k + 1).collect();
        assert_eq!(text(&many), "parts 0, 2, 4, 6, 8, 10, 12, 14 and others, up to 198");
    }
}
