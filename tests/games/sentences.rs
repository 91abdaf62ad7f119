//! What holds of any text: all of it is the text itself, and what is left of it has the kept words and white space of
//! the text's own. The oracle goes character by character, by a list of what white space is.

use proptest::prelude::*;

use shapley::Coalition;
use shapley::exact;
use shapley::games::{Sentence, Words};

/// Unicode's property White_Space, from PropList.txt.
const WHITE_SPACE: [char; 25] = [
    '\t', '\n', '\u{b}', '\u{c}', '\r', ' ', '\u{85}', '\u{a0}', '\u{1680}', '\u{2000}', '\u{2001}', '\u{2002}',
    '\u{2003}', '\u{2004}', '\u{2005}', '\u{2006}', '\u{2007}', '\u{2008}', '\u{2009}', '\u{200a}', '\u{2028}',
    '\u{2029}', '\u{202f}', '\u{205f}', '\u{3000}',
];

/// Words, or parts of words: accents and marks that combine, what has no width, scripts from the right, signs that turn
/// the direction, and what looks like a mask.
const LETTERS: [&str; 14] = [
    "a",
    "don't,",
    "e\u{301}",
    "\u{301}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{2060}",
    "שלום",
    "\u{202e}x",
    "\u{200f}",
    "👩\u{200d}👧",
    "[MASK]",
    "\0",
];

fn texts(most: usize) -> impl Strategy<Value = String> {
    let space = prop_oneof![
        3 => proptest::sample::select(WHITE_SPACE.to_vec()).prop_map(String::from),
        1 => proptest::sample::select(vec!["\r\n", "\n\n", "  ", "\n    "]).prop_map(String::from),
    ];
    let piece = prop_oneof![space, proptest::sample::select(LETTERS.to_vec()).prop_map(String::from)];
    proptest::collection::vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

/// A text in words and white space: what stands before each word, and after the last.
fn taken_apart(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut words, mut spaces) = (Vec::new(), vec![String::new()]);
    let mut in_word = false;
    for character in text.chars() {
        match (WHITE_SPACE.contains(&character), in_word) {
            (true, true) => spaces.push(character.to_string()),
            (true, false) => spaces.last_mut().unwrap().push(character),
            (false, true) => words.last_mut().map(|word: &mut String| word.push(character)).unwrap(),
            (false, false) => words.push(character.to_string()),
        }
        in_word = !WHITE_SPACE.contains(&character);
    }
    if in_word {
        spaces.push(String::new());
    }
    (words, spaces)
}

fn line_breaks(space: &str) -> usize {
    let mut before = ' ';
    let mut count = 0;
    for character in space.chars() {
        let is_break = matches!(character, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        count += usize::from(is_break && (before, character) != ('\r', '\n'));
        before = character;
    }
    count
}

fn is_subsequence(part: &str, whole: &str) -> bool {
    let mut rest = whole.chars();
    part.chars().all(|character| rest.any(|other| other == character))
}

/// Of a text of many words some subsets, of a text of few all.
fn subsets(players: usize, seed: u64) -> impl Iterator<Item = Coalition> {
    let all = 1_u64 << players.min(63);
    (0..all.min(64)).map(move |k| {
        let mask = if all <= 64 { k } else { crate::common::masks::mix(seed ^ k) % all };
        Coalition::from_players(players, (0..players).filter(|player| mask >> player & 1 == 1))
    })
}

proptest! {
    #[test]
    fn all_words_are_the_text(text in texts(16), mask in proptest::option::of("[ _a]{0,3}")) {
        let (words, _) = taken_apart(&text);
        let mut sentence = Sentence::new(&text);
        if let Some(mask) = mask {
            sentence = sentence.mask(mask);
        }
        prop_assert_eq!(sentence.words(), &words);
        prop_assert_eq!((sentence.len(), sentence.is_empty()), (words.len(), words.is_empty()));
        prop_assert_eq!(sentence.keep(&Coalition::grand(words.len())), text);
    }

    #[test]
    fn what_is_left_has_the_kept_words_and_white_space_of_the_text(text in texts(16), seed: u64) {
        let (words, spaces) = taken_apart(&text);
        let sentence = Sentence::new(&text);
        for kept in subsets(words.len(), seed) {
            let left = sentence.keep(&kept);
            if kept.is_empty() {
                prop_assert_eq!(left, if words.is_empty() { text.as_str() } else { "" });
                continue;
            }
            prop_assert!(is_subsequence(&left, &text), "{:?} of {:?}", left, text);
            // The kept words in their order, none glued to another and none cut.
            let (left_words, left_spaces) = taken_apart(&left);
            let players: Vec<usize> = kept.iter().collect();
            prop_assert_eq!(left_words, players.iter().map(|&player| words[player].clone()).collect::<Vec<_>>());
            prop_assert_eq!(&left_spaces[0], &spaces[0]);
            prop_assert_eq!(left_spaces.last(), spaces.last());
            for (pair, space) in players.windows(2).zip(&left_spaces[1..]) {
                let there = &spaces[pair[0] + 1..=pair[1]];
                let most = there.iter().map(|space| line_breaks(space)).max().unwrap();
                let last = there.iter().rfind(|space| line_breaks(space) == most).unwrap();
                prop_assert_eq!(space, last, "between players {:?} of {:?}", pair, text);
            }
        }
    }

    #[test]
    fn masks_leave_all_white_space(text in texts(16), seed: u64, mask in "[ _a]{0,3}") {
        let (words, spaces) = taken_apart(&text);
        let sentence = Sentence::new(&text).mask(&mask);
        for kept in subsets(words.len(), seed) {
            let mut expected = spaces[0].clone();
            for (player, word) in words.iter().enumerate() {
                expected += if kept.contains(player) { word } else { &mask };
                expected += &spaces[player + 1];
            }
            prop_assert_eq!(sentence.keep(&kept), expected);
        }
    }

    #[test]
    fn parts_are_joined_as_they_are(parts in proptest::collection::vec(texts(4), 0..8), seed: u64, mask in "[ _a]{0,3}") {
        let sentence = Sentence::from_parts(&parts);
        prop_assert_eq!(sentence.words(), &parts);
        prop_assert_eq!(sentence.keep(&Coalition::grand(parts.len())), parts.concat());
        let masked = sentence.clone().mask(&mask);
        for kept in subsets(parts.len(), seed) {
            let (mut left, mut shown) = (String::new(), String::new());
            for (player, part) in parts.iter().enumerate() {
                left += if kept.contains(player) { part } else { "" };
                shown += if kept.contains(player) { part } else { &mask };
            }
            prop_assert_eq!(sentence.keep(&kept), left);
            prop_assert_eq!(masked.keep(&kept), shown);
        }
    }

    /// v(∅) and v(N) are the scores of the empty text and of the text, and the values share out their difference.
    #[test]
    fn values_sum_to_the_score_of_the_text_less_that_of_none(text in texts(12)) {
        /// Scores of at most 300 characters below 1, and some hundred roundings.
        const TOLERANCE: f64 = 1e-11;
        let score = |text: &str| {
            text.chars().enumerate().map(|(place, c)| ((place + 1) * (c as usize)) as f64 % 1.7).sum::<f64>() + 0.25
        };
        let (words, _) = taken_apart(&text);
        prop_assume!(!words.is_empty());
        let phi = exact(&Words::new(&text, score)).unwrap();
        prop_assert_eq!(phi.baseline().to_bits(), score("").to_bits());
        prop_assert_eq!(phi.grand().to_bits(), score(&text).to_bits());
        let sum: f64 = phi.iter().sum();
        prop_assert!((sum - (score(&text) - score(""))).abs() <= TOLERANCE, "{} for {:?}", sum, text);
    }
}

#[test]
fn every_white_space_divides() {
    for space in WHITE_SPACE {
        let text = format!("{space}a{space}{space}b{space}");
        let sentence = Sentence::new(&text);
        assert_eq!(sentence.words(), ["a", "b"], "{space:?}");
        assert_eq!(sentence.keep(&Coalition::grand(2)), text);
        assert_eq!(sentence.keep(&Coalition::from_players(2, [1])), format!("{space}b{space}"));
    }
}
