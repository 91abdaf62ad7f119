//! The words of a text as players: what is a word, what is left of a text, and what the game makes of it. What holds of
//! any text is in `sentences.rs`.

use std::collections::BTreeSet;
use std::io;
use std::sync::Mutex;

use crate::common::compare::close;
use shapley::games::{ByRef, Sentence, Words};
use shapley::{Cached, Coalition, Error, Exact, Game, Permutation, exact};

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
fn white_space_stays_between_kept_words() {
    let text = "  not \t so\n\ngood! ";
    let sentence = Sentence::new(text);
    let left = [
        "",
        "  not ",
        "  so ",
        "  not \t so ",
        "  good! ",
        "  not\n\ngood! ", // the paragraph's end, though its last word is gone
        "  so\n\ngood! ",
        text,
    ];
    for (mask, expected) in left.into_iter().enumerate() {
        assert_eq!(sentence.keep(&coalition(3, mask)), expected);
    }
}

#[test]
fn of_several_white_spaces_the_one_with_the_most_line_breaks_stays() {
    for (text, players, mask, expected) in [
        ("a  b c", 3, 0b101, "a c"),  // none: the last
        ("a\nb c", 3, 0b101, "a\nc"), // the only one
        ("a b\nc", 3, 0b101, "a\nc"),
        ("a\n\nb\nc", 3, 0b101, "a\n\nc"),   // two lines before one
        ("a\n\nb\r\nc", 3, 0b101, "a\n\nc"), // CRLF is one
        ("a\r\nb\r\n\r\nc", 3, 0b101, "a\r\n\r\nc"),
        ("a\u{2029}b c", 3, 0b101, "a\u{2029}c"),
        ("class A:\n  def f():\n    return 1\nx = 2", 9, 0b1_0000_0001, "class\n2"),
        ("if a:\n    b\n    c", 4, 0b1001, "if\n    c"), // the last: the line's own indentation
    ] {
        assert_eq!(Sentence::new(text).keep(&coalition(players, mask)), expected, "{text:?}");
    }
}

#[test]
fn a_score_that_counts_lines_is_asked_about_lines() -> Result<(), Error> {
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count() as f64;
    let text = "roses are red\nviolets are blue\nthis has three lines";
    let phi = exact(&Words::new(text, lines))?;
    assert_eq!((*phi.baseline(), *phi.grand()), (0.0, lines(text)));
    // Four words of a line share it: 1/3 and 1/4 each.
    for (value, expected) in phi.iter().zip([[1.0 / 3.0; 6].as_slice(), &[0.25; 4]].concat()) {
        assert!(close(*value, expected, 1e-14), "{phi}");
    }
    Ok(())
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
    assert_eq!(sentence, Sentence::new("a b").mask("_"));
    assert_ne!(sentence, Sentence::new("a b"));
    assert_ne!(sentence, Sentence::new("a  b").mask("_"));
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
    // Small multiples of a half: nothing is rounded. The text has the two spaces at its ends.
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(phi.values()), bits(&[6.0]));
    assert_eq!(bits(&[*phi.baseline(), *phi.grand()]), bits(&[0.5, 6.5]));
}

#[test]
fn the_score_sees_each_text_once() {
    let seen = Mutex::new(Vec::new());
    let game = Words::new("not\tso\ngood!", |text: &str| {
        seen.lock().unwrap().push(text.to_owned());
        text.len() as f64
    });
    assert_eq!(game.words(), ["not", "so", "good!"]);
    assert_eq!(game.sentence(), &Sentence::new("not\tso\ngood!"));
    assert_eq!(shapley::exact(&game).unwrap().evaluations(), 8);
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    let mut expected = ["", "not", "so", "not\tso", "good!", "not\ngood!", "so\ngood!", "not\tso\ngood!"];
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

#[derive(Debug, thiserror::Error)]
#[error("no model")]
struct NoModel;

/// The same bits by every constructor, of texts, strings and sentences; masked, cached and sampled too.
#[test]
fn every_constructor_makes_the_same_game() -> Result<(), Box<dyn std::error::Error>> {
    let score = |text: &str| text.bytes().enumerate().map(|(place, byte)| (place + 1) as f64 / f64::from(byte)).sum();
    let scores = |texts: &[String]| texts.iter().map(|text| score(text)).collect::<Vec<f64>>();
    let text = " One\ttwo,\n\nthree four  five six. ";
    let sentence = || Sentence::new(text).mask("_");
    let expected = exact(&Words::new(text, score).mask("_"))?;
    let sampled = Permutation::new(200).estimate(&Words::new(sentence(), score))?;

    let owned = String::from(text);
    let batched = Words::batched(owned.clone(), scores).mask("_");
    let fallible = Words::try_new(&owned, |text: &str| Ok::<f64, NoModel>(score(text))).mask("_");
    let both = Words::try_batched(sentence(), |texts: &[String]| Ok::<_, NoModel>(scores(texts)));
    assert_eq!(exact(&batched)?, expected);
    assert_eq!(exact(&fallible)?, expected);
    assert_eq!(exact(&both.clone())?, expected);
    assert_eq!(exact(&Cached::new(&batched))?, expected);
    assert_eq!(exact(&Cached::new(ByRef::new(&both)))?, expected);
    for batch in [0, 7] {
        let sampler = Permutation::new(200).batch(batch);
        assert_eq!(sampler.estimate(&batched)?, sampled);
        assert_eq!(sampler.estimate(&fallible)?, sampled);
        assert_eq!(sampler.estimate(&both)?, sampled);
    }
    for words in [batched.words(), fallible.words(), both.words()] {
        assert_eq!(words, ["One", "two,", "three", "four", "five", "six."]);
    }
    assert_eq!([batched.sentence(), fallible.sentence(), both.sentence()], [&sentence(); 3]);
    Ok(())
}

/// Parts with a score of each kind: the sentence is made first.
#[test]
fn parts_are_players_of_every_constructor() -> Result<(), Box<dyn std::error::Error>> {
    let parts = ["New York", " is", " ", "n't", "", "big"];
    let sentence = || Sentence::from_parts(parts);
    let length = |text: &str| text.len() as f64;
    let lengths = |texts: &[String]| texts.iter().map(|text| length(text)).collect::<Vec<_>>();
    let expected = [8.0, 3.0, 1.0, 3.0, 0.0, 3.0];
    let game = Words::from_parts(parts, length);
    assert_eq!((game.words(), game.sentence()), (parts.map(String::from).as_slice(), &sentence()));
    assert_eq!(exact(&game)?.values(), expected);
    assert_eq!(exact(&Words::new(sentence(), length))?.values(), expected);
    assert_eq!(exact(&Words::batched(sentence(), lengths))?.values(), expected);
    assert_eq!(exact(&Words::try_new(sentence(), |text: &str| Ok::<_, NoModel>(length(text))))?.values(), expected);
    let both = Words::try_batched(sentence(), |texts: &[String]| Ok::<_, NoModel>(lengths(texts)));
    assert_eq!(exact(&both)?.values(), expected);
    Ok(())
}

#[test]
fn batches_are_those_of_the_solver() -> Result<(), Error> {
    let calls = Mutex::new(Vec::new());
    let game = Words::batched("a b c d e f", |texts: &[String]| {
        calls.lock().unwrap().push(texts.len());
        texts.iter().map(|text| text.len() as f64).collect()
    });
    let _ = Exact::new().threads(1).batch(16).solve(&game)?;
    assert_eq!(std::mem::take(&mut *calls.lock().unwrap()), [16; 4]);
    Ok(())
}

#[test]
fn another_number_of_scores_is_an_error() {
    for odd in [|asked: usize| asked - 1, |asked| asked + 1, |_| 0] {
        let scores = move |texts: &[String]| vec![1.0; odd(texts.len())];
        let game = Words::batched("a b c", scores);
        let fallible = Words::try_batched("a b c", move |texts: &[String]| Ok::<_, NoModel>(scores(texts)));
        let solver = Exact::new().threads(1).batch(8);
        assert!(matches!(solver.solve(&game), Err(Error::BatchLength { asked: 8, got }) if got == odd(8)));
        assert!(matches!(solver.solve(&fallible), Err(Error::BatchLength { asked: 8, got }) if got == odd(8)));
        assert!(matches!(Permutation::new(20).estimate(&game), Err(Error::BatchLength { .. })));
        assert!(matches!(Permutation::new(20).estimate(&fallible), Err(Error::BatchLength { .. })));
    }
}

#[test]
fn a_failure_comes_back_with_its_words() {
    let fails = |text: &str| if text == "a\nc" { Err(io::Error::other("busy")) } else { Ok(text.len() as f64) };
    let game = Words::try_new("a b\nc", fails);
    let error = Exact::new().threads(1).solve(&game).unwrap_err();
    assert!(matches!(&error, Error::Game { coalition, .. } if *coalition == Coalition::from_players(3, [0, 2])));
    assert_eq!(format!("{:#}", error.named(game.words())), "the game failed at coalition {a, c}: busy");

    let batched = Words::try_batched("a b\nc", |texts: &[String]| texts.iter().map(|text| fails(text)).collect());
    let error = Exact::new().threads(1).batch(4).solve(&batched).unwrap_err();
    let Error::Game { coalition, source } = error else { panic!("{error:?}") };
    assert_eq!((coalition, source.to_string()), (Coalition::from_players(3, [2]), "busy".to_owned()));
}
