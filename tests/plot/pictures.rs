//! Pictures: their text, what is refused, and that labels do no harm.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Mutex;

use crate::common::masks::{mask_of, pseudo};
use crate::common::tables::table;
use proptest::prelude::*;
use shapley::plot::{self, Explanation, InteractionGraph, PlotError, Text};
use shapley::{Attribution, Estimate, Index, Interactions, Permutation, Progress, Table, exact, from_fn, interactions};

const NAMES: [&str; 5] = ["not", "very", "good", "but", "wonderful"];

fn game(players: usize) -> Table<f64> {
    table(players, |mask| pseudo(3, mask))
}

fn values(players: usize) -> Attribution<f64> {
    exact(&game(players)).expect("a table has values")
}

fn estimate(players: usize) -> Estimate<f64> {
    let game = from_fn(players, move |s| s.iter().map(|i| (i as f64 - 2.0) / players as f64).sum::<f64>().tanh());
    Permutation::new(40 * players as u64).seed(5).estimate(&game).expect("the budget is large enough")
}

fn pairs(players: usize) -> Interactions<f64> {
    interactions(&game(players), Index::Shapley, 2).expect("a table has interactions")
}

fn progress() -> Vec<Progress> {
    let seen = Mutex::new(Vec::new());
    let note = |progress: &Progress| {
        seen.lock().unwrap().push(progress.clone());
        ControlFlow::Continue(())
    };
    let game = from_fn(12, |s| pseudo(8, mask_of(s)));
    let _ = Permutation::new(20_000).seed(3).threads(1).observe(note).estimate(&game).unwrap();
    seen.into_inner().unwrap()
}

/// Every picture of so many players, with these labels.
pub(crate) fn all(labels: &[String]) -> Vec<(&'static str, String)> {
    let n = labels.len();
    let sampled = estimate(n.max(2));
    let few = exact(&from_fn(1, |s| s.len() as f64)).unwrap();
    let one = || if n == 1 { Explanation::from(&few) } else { Explanation::from(&sampled) };
    let mut pictures = vec![
        ("text", plot::text(labels, one()).unwrap()),
        ("bar", plot::bar(labels, one()).unwrap()),
        ("waterfall", plot::waterfall(labels, one()).unwrap()),
        ("force", plot::force(labels, one()).unwrap()),
        ("beeswarm", plot::beeswarm(labels, [one(), one()], &vec![0.5; 2 * n]).unwrap()),
    ];
    if (2..=12).contains(&n) {
        pictures.push(("network", plot::network(labels, &pairs(n)).unwrap()));
        let phi = values(n);
        let text = Text::new(labels, &phi).interactions(&pairs(n)).title(&labels[0]).outputs(&[&labels[0]]);
        pictures.push(("text with pairs", text.html().unwrap()));
    }
    pictures
}

/// The document, if it is well-formed.
pub(crate) fn parsed(picture: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(picture, options).unwrap_or_else(|error| panic!("{error} in\n{picture}"))
}

#[test]
fn the_text_of_each_picture() {
    let (phi, sampled) = (values(5), estimate(5));
    let text = Text::new(&NAMES, &phi).interactions(&pairs(5)).title("Why?");
    let pictures = [
        ("text", text.html().unwrap()),
        ("bar", plot::bar(&NAMES, &sampled).unwrap()),
        ("waterfall", plot::waterfall(&NAMES, &sampled).unwrap()),
        ("force", plot::force(&NAMES, &phi).unwrap()),
        (
            "beeswarm",
            plot::beeswarm(&NAMES, [&phi, &values(5)], &[1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 4.0, 3.0, 2.0, 1.0]).unwrap(),
        ),
        ("network", plot::network(&NAMES, &pairs(5)).unwrap()),
    ];
    for (name, picture) in pictures {
        insta::assert_snapshot!(name, picture);
    }
    // Which progress an observer sees depends on the time, so the numbers are given here.
    let mut given = progress();
    given.truncate(1);
    let seen: Vec<Progress> = [(100, 1.0), (1_000, 0.3), (10_000, 0.1)]
        .into_iter()
        .map(|(evaluations, half_width)| {
            let mut progress = given[0].clone();
            (progress.evaluations, progress.half_width) = (evaluations, half_width);
            progress
        })
        .collect();
    insta::assert_snapshot!("convergence", plot::convergence(&seen).unwrap());
}

#[test]
fn the_same_result_gives_the_same_bytes() {
    let names: Vec<String> = NAMES.map(String::from).to_vec();
    assert_eq!(all(&names), all(&names));
}

#[test]
fn hostile_labels_are_text() {
    let labels = [
        "<script>alert(1)</script>",
        "\"&'",
        "]]>",
        "שלום עולם",
        "\u{202e}gnihtemos",
        "🦀👩‍👩‍👧",
        "",
        " \t\n",
        "a\0b\u{1b}[0m\u{fffe}",
        &"long ".repeat(100),
        "e\u{301}\u{302}",
        "<!-- -->",
    ]
    .map(String::from);
    for (name, picture) in all(&labels) {
        let document = parsed(&picture);
        let names: BTreeSet<&str> = document.descendants().map(|node| node.tag_name().name()).collect();
        let scripts = document.descendants().filter(|node| node.has_tag_name("script")).count();
        assert_eq!(scripts, usize::from(name.starts_with("text")), "{name}: {names:?}");
        let texts: String = document.descendants().filter_map(|node| node.text()).collect();
        assert!(texts.contains("<script>alert(1)</script>") && texts.contains("(empty)"), "{name}");
        assert!(!picture.contains('\0') && !picture.contains('\u{1b}'), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn all_pictures_are_well_formed(labels in prop::collection::vec(any::<String>(), 1..30)) {
        for (_, picture) in all(&labels) {
            parsed(&picture);
        }
    }

    #[test]
    fn values_of_any_size_are_drawn(values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 1..20)) {
        let n = values.len();
        let values: Vec<f64> = values.into_iter().map(|value| value.clamp(-1e300, 1e300)).collect();
        let phi = exact(&from_fn(n.min(8), |s| s.iter().map(|i| values[i]).sum::<f64>())).unwrap();
        let labels: Vec<String> = (0..n.min(8)).map(|i| i.to_string()).collect();
        for picture in [plot::bar(&labels, &phi), plot::waterfall(&labels, &phi), plot::force(&labels, &phi), plot::text(&labels, &phi)] {
            let picture = picture.unwrap();
            parsed(&picture);
            prop_assert!(!picture.contains("NaN") && !picture.contains("inf\""), "{picture}");
        }
    }
}

#[test]
fn three_players_and_three_hundred() {
    for n in [1, 2, 3, 15, 16, 24, 300] {
        let labels: Vec<String> = (0..n).map(|i| format!("player {i}")).collect();
        for (name, picture) in all(&labels) {
            parsed(&picture);
            let most = if name.starts_with("text") { 200_000 } else { 60_000 };
            assert!(picture.len() < most, "{name} of {n}: {} bytes", picture.len());
        }
        let folded = plot::bar(&labels, &estimate(n.max(2)).attribution().clone());
        if n > 15 {
            assert!(folded.unwrap().contains(&format!("the other {}, together", n - 14)));
        }
    }
}

#[test]
fn what_is_folded_is_the_sum() {
    // Twenty players: 14 are shown, and six that are worth 1 each.
    let game = from_fn(20, |s| s.iter().map(|i| if i < 14 { 10.0 + i as f64 } else { 1.0 }).sum::<f64>());
    let phi = Permutation::new(200).estimate(&game).unwrap();
    let labels: Vec<String> = (0..20).map(|i| i.to_string()).collect();
    let picture = plot::waterfall(&labels, phi.attribution()).unwrap();
    assert!(picture.contains("the other 6, together: +6.0"), "{picture}");
}

#[test]
fn banzhaf_values_leave_a_gap_that_is_named() {
    let game = from_fn(3, |s| if s.is_grand() { 1.0 } else { 0.0 });
    let (banzhaf, shapley) = (shapley::banzhaf(&game).unwrap(), exact(&game).unwrap());
    let labels = ["a", "b", "c"];
    assert!(plot::waterfall(&labels, &banzhaf).unwrap().contains("not in the values: +0.250"));
    assert!(!plot::waterfall(&labels, &shapley).unwrap().contains("not in the values"));
}

#[test]
fn a_sentence_of_twenty_words_is_small() {
    let words: Vec<String> = (0..20).map(|i| format!("word-number-{i}")).collect();
    let phi = estimate(20);
    let game = from_fn(20, |s| (s.len() as f64).sqrt() + pseudo(2, mask_of(s) % 64));
    let pairs = interactions(&game, Index::Shapley, 2).unwrap();
    let page = Text::new(&words, &phi).interactions(&pairs).html().unwrap();
    assert!(page.len() <= 60_000, "{} bytes", page.len());
}

#[test]
fn bad_input_is_refused_by_name() {
    let phi = values(5);
    let outputs = exact(&from_fn(2, |s| [s.len() as f64, 1.0])).unwrap();
    let of = |error: PlotError| error.to_string();
    assert_eq!(of(plot::bar(&["a"], &phi).unwrap_err()), "1 labels were given for 5 players: every player needs one");
    assert_eq!(plot::force(&["a", "b"], &outputs), Err(PlotError::SeveralOutputs { outputs: 2 }));
    assert_eq!(Explanation::from(&outputs).output(2), Err(PlotError::NoOutput { output: 2, outputs: 2 }));
    assert_eq!(
        Text::new(&["a", "b"], &outputs).outputs(&["only"]).html(),
        Err(PlotError::OutputNames { names: 1, outputs: 2 })
    );
    assert_eq!(
        Text::new(&["a", "b"], &outputs).interactions(&pairs(2)).html(),
        Err(PlotError::Outputs { outputs: 1, expected: 2 })
    );
    assert!(matches!(
        Text::new(&NAMES, &phi).interactions(&pairs(4)).html(),
        Err(PlotError::Players { players: 4, expected: 5, .. })
    ));
    let singles = interactions(&game(5), Index::Shapley, 1).unwrap();
    assert_eq!(plot::network(&NAMES, &singles), Err(PlotError::NoPairs { order: 1 }));
    let two_outputs = interactions(&from_fn(3, |s| [s.len() as f64, 1.0]), Index::KShapley, 2).unwrap();
    assert_eq!(plot::network(&["a", "b", "c"], &two_outputs), Err(PlotError::SeveralOutputs { outputs: 2 }));
    assert!(matches!(plot::beeswarm(&NAMES, [&phi, &values(4)], &[]), Err(PlotError::Players { .. })));
    assert_eq!(
        plot::beeswarm(&NAMES, [&phi], &[1.0]),
        Err(PlotError::FeatureValues { values: 1, rows: 1, columns: 5 })
    );
    assert!(matches!(plot::beeswarm(&NAMES, Vec::<Explanation>::new(), &[]), Err(PlotError::Nothing { .. })));
    assert!(matches!(plot::convergence(&[]), Err(PlotError::Nothing { .. })));
}

/// The pairs of another output are not drawn beside the values of one.
#[test]
fn outputs_of_values_and_pairs_belong_together() {
    let [length, square] = [1, 2].map(|power| from_fn(3, move |s| s.len().pow(power) as f64));
    let both = from_fn(3, |s| [s.len() as f64, s.len().pow(2) as f64]);
    let (names, of) = (["a", "b", "c"], |game: &_| interactions(game, Index::Shapley, 2).unwrap());
    let (phi, pairs) = (exact(&both).unwrap(), interactions(&both, Index::Shapley, 2).unwrap());
    let second = Explanation::from(&phi).output(1).unwrap();
    let mismatch = Err(PlotError::Outputs { outputs: 2, expected: 1 });
    assert_eq!(Text::new(&names, &second).interactions(&pairs).html(), mismatch);

    let graph = InteractionGraph::from(&pairs);
    assert_eq!(graph.outputs(), 2);
    let page = Text::new(&names, &second).interactions(graph.clone().output(1).unwrap()).html().unwrap();
    assert_eq!(page, Text::new(&names, &exact(&square).unwrap()).interactions(&of(&square)).html().unwrap());
    for (output, game) in [length, square].iter().enumerate() {
        let picture = plot::network(&names, graph.clone().output(output).unwrap()).unwrap();
        assert_eq!(picture, plot::network(&names, &of(game)).unwrap(), "output {output}");
    }
    assert_eq!(graph.output(2), Err(PlotError::NoOutput { output: 2, outputs: 2 }));
}

/// The pairs of an additive game are zero, or what rounding makes of it, which is no picture of anybody's worth.
#[test]
fn rounding_is_not_drawn() {
    for (players, offset) in [(3, 0.0), (8, 0.0), (12, 0.0), (12, 1e6), (12, -0.3)] {
        let game = from_fn(players, |s| offset + s.iter().map(|i| 0.1 * (i as f64 + 1.0) / 3.0).sum::<f64>());
        let pairs = interactions(&game, Index::Shapley, 2).unwrap();
        assert!(pairs.strongest(1)[0].1.abs() > 0.0, "{players} players: nothing was rounded");
        let labels: Vec<String> = (0..players).map(|k| k.to_string()).collect();
        let picture = plot::network(&labels, &pairs).unwrap();
        assert!(!picture.contains("<title>{"), "{picture}");
        let page = Text::new(&labels, &exact(&game).unwrap()).interactions(&pairs).html().unwrap();
        assert_eq!((page.matches("data-with=").count(), page.matches("with nobody").count()), (0, players));
    }
    // What is small beside other values, and no rounding, is drawn.
    let game = from_fn(8, |s| 1e6 * s.len() as f64 + f64::from(u8::from(s.contains(2) && s.contains(5))));
    let pairs = interactions(&game, Index::Shapley, 2).unwrap();
    let labels: Vec<String> = (0..8).map(|k| k.to_string()).collect();
    assert_eq!(plot::network(&labels, &pairs).unwrap().matches("<title>{2, 5}: +1.00").count(), 1);
}

/// What a reader is told of a pair by pointing at it.
#[test]
fn pairs_have_titles() {
    let game = from_fn(3, |s| f64::from(u8::from(s.contains(0) && s.contains(2))));
    let pairs = interactions(&game, Index::Shapley, 2).unwrap();
    let picture = plot::network(&["שלום", "b", "<c>"], &pairs).unwrap();
    assert!(picture.contains("<title>{\u{2068}שלום\u{2069}, &lt;c&gt;}: +1.00</title>"), "{picture}");
    assert!(!picture.contains("could be zero") && !picture.contains("opacity"));
}

#[test]
fn convergence_is_drawn_of_what_an_observer_saw() {
    let picture = plot::convergence(&progress()).unwrap();
    parsed(&picture);
    assert!(picture.contains("evaluations"));
}
