//! The words of a text as players: what is a word, what is left of a text, and what the game makes of it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::common::compare::close;
use shapley::games::{Sentence, Words};
use shapley::{Coalition, Error, Game};

/// Every way of leaving words out of three, and the text that is left, by bit mask.
const THREE_WORDS: [&str; 8] = ["", "not", "so", "not so", "good!", "not good!", "so good!", "not so good!"];

fn coalition(players: usize, mask: usize) -> Coalition {
    Coalition::from_players(players, (0..players).filter(|player| mask >> player & 1 == 1))
}

#[test]
fn words_are_split_at_unicode_white_space() {
    for text in [
        "not so good!",
        "  not so good!  ",
        "not\tso\ngood!",
        "not\r\nso\u{2003}good!",         // em space
        "not\u{a0}so\u{3000}good!\u{a0}", // no-break space, ideographic space: both are White_Space
        "\u{85}not \u{2028} so \u{2029} good!",
    ] {
        assert_eq!(Sentence::new(text).words(), ["not", "so", "good!"], "{text:?}");
    }
}

#[test]
fn what_only_looks_like_a_space_joins() {
    // The zero-width space and the word joiner are not White_Space.
    assert_eq!(Sentence::new("a\u{200b}b c\u{2060}d").words(), ["a\u{200b}b", "c\u{2060}d"]);
}

#[test]
fn punctuation_stays_with_its_word() {
    let text = "\"Well-made,\" they said: don't… (¡no!) — 3.5/5";
    let words = ["\"Well-made,\"", "they", "said:", "don't…", "(¡no!)", "—", "3.5/5"];
    let sentence = Sentence::new(text);
    assert_eq!(sentence.words(), words);
    assert_eq!((sentence.len(), sentence.is_empty()), (7, false));
    assert_eq!(sentence.keep(&Coalition::grand(7)), text);
}

#[test]
fn the_same_word_twice_is_two_players() {
    let sentence = Sentence::new("very very good");
    assert_eq!(sentence.len(), 3);
    assert_eq!(sentence.keep(&coalition(3, 0b101)), "very good");
    assert_eq!(sentence.keep(&coalition(3, 0b011)), "very very");
}

#[test]
fn kept_words_keep_their_order_and_are_joined_by_one_space() {
    // However wide the gaps were.
    let sentence = Sentence::new("  not \t so\n\ngood! ");
    for (mask, expected) in THREE_WORDS.into_iter().enumerate() {
        assert_eq!(sentence.keep(&coalition(3, mask)), expected);
    }
}

#[test]
fn absent_words_become_the_mask() {
    let sentence = Sentence::new("not so good!").mask("[MASK]");
    for (mask, expected) in [
        (0b000, "[MASK] [MASK] [MASK]"),
        (0b001, "not [MASK] [MASK]"),
        (0b010, "[MASK] so [MASK]"),
        (0b101, "not [MASK] good!"),
        (0b111, "not so good!"),
    ] {
        assert_eq!(sentence.keep(&coalition(3, mask)), expected);
    }
    assert_eq!(sentence.words(), ["not", "so", "good!"], "the words themselves are not masked");
}

#[test]
fn an_empty_mask_keeps_the_place_and_no_mask_does_not() {
    // The empty text as a token still has its spaces: positions stay visible to the model.
    let masked = Sentence::new("not so good!").mask("");
    assert_eq!(masked.keep(&coalition(3, 0b101)), "not  good!");
    assert_eq!(masked.keep(&coalition(3, 0b000)), "  ");
    assert_eq!(masked.keep(&coalition(3, 0b111)), "not so good!");
    assert_eq!(Sentence::new("not so good!").keep(&coalition(3, 0b101)), "not good!");
}

#[test]
fn the_last_mask_counts() {
    let sentence = Sentence::new("a b").mask("[MASK]").mask(String::from("_"));
    assert_eq!(sentence.keep(&coalition(2, 0b01)), "a _");
    assert_eq!(sentence, Sentence::new("a  b").mask("_"));
    assert_ne!(sentence, Sentence::new("a b"));
}

#[test]
fn a_mask_with_spaces_is_one_token() {
    assert_eq!(Sentence::new("a b").mask("<no word>").keep(&coalition(2, 0b10)), "<no word> b");
}

#[test]
fn a_text_without_words_is_a_game_without_players() {
    for text in ["", " ", "\t\n\u{2003}\u{a0}"] {
        let game = Words::new(text, |_: &str| -> f64 { panic!("there is nobody to share out a score to") });
        assert_eq!((game.words().len(), game.num_players()), (0, 0));
        assert!(game.sentence().is_empty());
        assert!(matches!(shapley::exact(&game), Err(Error::NoPlayers {})), "{text:?}");
        let masked = game.mask("[MASK]");
        assert!(matches!(shapley::exact(&masked), Err(Error::NoPlayers {})), "{text:?}, masked");
    }
}

#[test]
fn one_word_gets_the_whole_difference() {
    let phi = shapley::exact(&Words::new(" word ", |text: &str| text.len() as f64 + 0.5)).unwrap();
    // Small multiples of a half: nothing is rounded.
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(phi.values()), bits(&[4.0]));
    assert_eq!(bits(&[*phi.baseline(), *phi.grand()]), bits(&[0.5, 4.5]));
}

#[test]
fn the_score_sees_each_text_once() {
    let seen = Mutex::new(Vec::new());
    let game = Words::new("not\tso\ngood!", |text: &str| {
        seen.lock().unwrap().push(text.to_owned());
        text.len() as f64
    });
    assert_eq!(game.words(), ["not", "so", "good!"]);
    assert_eq!(game.sentence(), &Sentence::new("not so good!"));
    assert_eq!(shapley::exact(&game).unwrap().evaluations(), 8);
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    let mut expected = THREE_WORDS;
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

/// A model of three classes, negative, neutral and positive: "not" turns "good" round.
fn classes(text: &str) -> [f64; 3] {
    let words: BTreeSet<&str> = text.split(' ').collect();
    match (words.contains("not"), words.contains("good")) {
        (false, true) => [0.0, 0.25, 0.75],
        (true, true) => [0.75, 0.25, 0.0],
        _ => [0.0, 1.0, 0.0],
    }
}

#[test]
fn a_score_can_have_several_outputs() {
    /// Quarters and halves of them: sums are exact, and the division by the players' number is by 3 alone.
    const TOLERANCE: f64 = 4.0 * f64::EPSILON;
    let phi = shapley::exact(&Words::new("not so good", classes)).unwrap();
    // "so" is a null player, so the others split by the two orders they can come in: "not" adds 0 first, and second the
    // step from "good" to "not good"; "good" adds "good" − "" first, and second "not good" − "not".
    let expected = [[0.375, 0.0, -0.375], [0.0; 3], [0.375, -0.75, 0.375]];
    for (word, expected) in phi.iter().zip(expected) {
        for (got, expected) in word.iter().zip(expected) {
            assert!(close(*got, expected, TOLERANCE), "{phi:?}");
        }
    }
}

#[test]
fn the_mask_makes_another_game() {
    /// Lengths up to 20: whole numbers, so only the division by 3 is rounded.
    const TOLERANCE: f64 = 20.0 * f64::EPSILON;
    let length = |text: &str| text.len() as f64;
    // With "_" for an absent word, a word adds its length less one, whatever else is there.
    let game = Words::new("a bcd efghi", length).mask("_");
    for (got, expected) in shapley::exact(&game).unwrap().iter().zip([0.0, 2.0, 4.0]) {
        assert!(close(*got, expected, TOLERANCE));
    }
    // Without, it also adds a space wherever another word is there already: 0, 1, 1 by its turn.
    let game = Words::new("a bcd efghi", length);
    for (got, expected) in shapley::exact(&game).unwrap().iter().zip([1.0, 3.0, 5.0]) {
        assert!(close(*got, expected + 2.0 / 3.0, TOLERANCE));
    }
}

#[test]
fn words_are_a_game_by_value_and_by_reference() {
    let game = Words::new("not so good", classes);
    let of = |game: &dyn Game<Value = [f64; 3]>| shapley::exact(game).unwrap();
    let (by_trait, by_clone) = (of(&game), shapley::exact(&&game.clone()).unwrap());
    let bits = |phi: &shapley::Attribution<[f64; 3]>| phi.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&by_trait), bits(&by_clone));
}
