//! Estimated interactions in pictures: each pair that is drawn has its number and standard error, and is fainter than
//! others exactly if its interval at 95 % holds zero.

use std::collections::BTreeMap;

use crate::common::masks::pseudo;
use crate::pictures::parsed;
use shapley::plot::{self, InteractionGraph, PlotError, Text};
use shapley::{Coalition, Estimate, Index, InteractionEstimate, Semivalue, Surrogate, Value, from_fn};

/// A few pairs that are worth much together, a few that are worth less, and a little of everything else.
fn worth(s: &Coalition) -> f64 {
    let pair = |i: usize, j: usize| f64::from(u8::from(s.contains(i) && s.contains(j)));
    let mixed = s.iter().fold(7, |sum: u64, player| sum.wrapping_mul(31).wrapping_add(player as u64));
    6.0 * pair(0, 1) - 5.0 * pair(2, 3) + 4.0 * pair(0, 4) + s.len() as f64 + 1.5 * pseudo(5, mixed)
}

/// Values and interactions of one sample, which is small enough to leave doubt.
pub(crate) fn estimated(players: usize) -> (Estimate<f64>, InteractionEstimate<f64>) {
    let sample = Surrogate::new(5 * players as u64).seed(1).summary(&from_fn(players, worth), 2).expect("enough");
    let phi = sample.values(&Semivalue::shapley()).expect("values");
    (phi, sample.interactions(Index::Shapley).expect("pairs"))
}

fn names(players: usize) -> Vec<String> {
    (0..players).map(|player| format!("p{player}")).collect()
}

/// Whether this output of a pair could be zero, by the estimate's own interval.
fn could_be_zero<V: Value>(estimate: &InteractionEstimate<V>, pair: [usize; 2], output: usize) -> bool {
    let (low, high) = estimate.interval(&pair, 0.95).expect("a pair of players");
    let [low, high] = [low, high].map(|bound| bound.components().nth(output).expect("an output"));
    low <= 0.0 && 0.0 <= high
}

/// Whether a text is the value and its standard error, to the digits that it has.
fn says(text: &str, value: f64, error: f64) -> bool {
    let Some((number, said)) = text.split_once(" ± ") else { return false };
    let decimals = said.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let near = |text: &str, value: f64| {
        let found: f64 = text.replace('−', "-").parse().expect("a number");
        (found - value).abs() <= 0.500_001 * 10_f64.powi(-(decimals as i32))
    };
    near(number, value) && near(said, error)
}

/// The pairs of a network, by their titles, and whether they are faint.
fn drawn(picture: &str) -> BTreeMap<[usize; 2], (String, bool)> {
    let document = parsed(picture);
    let titled = document.descendants().filter(|node| node.has_tag_name("g"));
    titled
        .filter_map(|group| {
            let (players, number) = group.first_element_child()?.text()?.strip_prefix('{')?.split_once("}: ")?;
            let players: Vec<usize> =
                players.split(", p").map(|p| p.trim_start_matches('p').parse().unwrap()).collect();
            let faint = group.attribute("stroke-opacity").is_some();
            Some((players.try_into().expect("two players"), (number.to_owned(), faint)))
        })
        .collect()
}

/// Compares a network with what it is of; how many pairs of either kind it has.
fn check<V: Value>(picture: &str, estimate: &InteractionEstimate<V>, output: usize) -> [usize; 2] {
    let mut kinds = [0; 2];
    for (pair, (number, faint)) in drawn(picture) {
        let zero = could_be_zero(estimate, pair, output);
        let [value, error] = [estimate.get(&pair), estimate.std_error(&pair)]
            .map(|value| value.and_then(|value| value.components().nth(output)).expect("a number"));
        let plain = number.strip_suffix(" (could be zero)");
        assert_eq!((faint, plain.is_some()), (zero, zero), "{pair:?}: {number}");
        assert!(says(plain.unwrap_or(&number), value, error), "{pair:?}: {number} is {value} ± {error}");
        kinds[usize::from(zero)] += 1;
    }
    assert_eq!(picture.contains("the 95% interval of the pair holds it"), kinds[1] > 0);
    kinds
}

#[test]
fn pairs_that_could_be_zero_are_fainter() {
    for players in [12, 30] {
        let (_, estimate) = estimated(players);
        let picture = plot::network(&names(players), &estimate).unwrap();
        let [sure, doubtful] = check(&picture, &estimate, 0);
        assert!(sure >= 3 && doubtful >= 3, "{players} players: {sure} and {doubtful}");
        // Players have their standard errors too.
        let title = format!("<title>p0 {}", picture.split("<title>p0 ").nth(1).expect("a player's title"));
        let number = &title["<title>p0 ".len()..title.find("</title>").expect("its end")];
        let [value, error] = [estimate.get(&[0]), estimate.std_error(&[0])].map(|value| *value.expect("a player"));
        assert!(says(number, value, error), "{number} is {value} ± {error}");
    }
}

#[test]
fn what_is_sure_is_not_faint() {
    // All 16 coalitions are asked for.
    let estimate = Surrogate::new(16).interactions(&from_fn(4, worth), Index::Shapley, 2).unwrap();
    let picture = plot::network(&names(4), &estimate).unwrap();
    let [sure, doubtful] = check(&picture, &estimate, 0);
    assert!(sure >= 3 && doubtful == 0, "{sure} and {doubtful}");
}

#[test]
fn rounding_is_not_drawn() {
    let game = from_fn(12, |s| s.iter().map(|i| 0.1 * (i as f64 + 1.0) / 3.0).sum::<f64>());
    let estimate = Surrogate::new(60).interactions(&game, Index::Shapley, 2).unwrap();
    assert!(estimate.values().strongest(1)[0].1.abs() < 1e-12);
    assert_eq!(drawn(&plot::network(&names(12), &estimate).unwrap()), BTreeMap::new());
}

#[test]
fn each_output_has_its_own_errors() {
    let game = from_fn(12, |s| [worth(s), s.len() as f64 * s.len() as f64 / 20.0 + worth(s) / 2.0]);
    let estimate = Surrogate::new(60).interactions(&game, Index::Shapley, 2).unwrap();
    assert_eq!(plot::network(&names(12), &estimate), Err(PlotError::SeveralOutputs { outputs: 2 }));
    let graph = InteractionGraph::from(&estimate);
    let pictures = [0, 1].map(|output| plot::network(&names(12), graph.clone().output(output).unwrap()).unwrap());
    for (output, picture) in pictures.iter().enumerate() {
        let [sure, doubtful] = check(picture, &estimate, output);
        assert!(sure >= 3 && doubtful >= 3, "output {output}: {sure} and {doubtful}");
    }
    assert_ne!(pictures[0], pictures[1]);
}

#[test]
fn words_name_the_partners_that_could_be_zero() {
    let players = 30;
    let (names, (phi, estimate)) = (names(players), estimated(players));
    let page = Text::new(&names, &phi).interactions(&estimate).html().unwrap();
    let document = parsed(&page);
    let words: Vec<_> = document.descendants().filter(|node| node.has_tag_name("button")).collect();
    assert_eq!(words.len(), players);
    let mut kinds = [0; 2];
    for (player, word) in words.iter().enumerate() {
        let mut partners: Vec<usize> = (0..players).filter(|other| *other != player).collect();
        let value = |other: usize| *estimate.get(&[player, other]).expect("a pair");
        partners.sort_by(|one, other| value(*other).abs().total_cmp(&value(*one).abs()));
        partners.truncate(3);
        let marks: Vec<String> = partners
            .iter()
            .map(|&other| {
                let zero = could_be_zero(&estimate, [player, other], 0);
                kinds[usize::from(zero)] += 1;
                format!("{other}{}{}", if value(other) < 0.0 { '-' } else { '+' }, if zero { "?" } else { "" })
            })
            .collect();
        assert_eq!(word.attribute("data-with"), Some(marks.join(" ").as_str()), "word {player}");

        let said = word.attribute("data-say").expect("what is said of a word");
        let (_, said) = said.split_once("strongest with ").expect("its partners");
        for (said, (&other, mark)) in said.split(", ").zip(partners.iter().zip(&marks)) {
            let plain = said.strip_suffix(" (could be zero)");
            assert_eq!(plain.is_some(), mark.ends_with('?'), "word {player}: {said}");
            let number = plain.unwrap_or(said).strip_prefix(&format!("p{other} ")).expect("the partner's name");
            let error = *estimate.std_error(&[player, other]).expect("a pair");
            assert!(says(number, value(other), error), "word {player}: {said} is {} ± {error}", value(other));
        }
        assert_eq!(said.split(", ").count(), 3);
    }
    assert!(kinds[0] >= 3 && kinds[1] >= 3, "{kinds:?}");
}
