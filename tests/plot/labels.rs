//! Labels in all pictures: none turns the text beside it, none is blank, and those that differ are shown different.

use std::collections::BTreeMap;

use crate::pictures::{all, parsed};
use proptest::prelude::*;
use shapley::plot;
use shapley::{exact, from_fn};

/// All texts and attributes of a picture, but for its style sheets and scripts.
fn said(picture: &str) -> Vec<String> {
    let document = parsed(picture);
    let shown = document.descendants().filter(|node| !node.has_tag_name("style") && !node.has_tag_name("script"));
    shown
        .flat_map(|node| {
            let text = node.children().filter(|child| child.is_text()).filter_map(|child| child.text());
            text.chain(node.attributes().map(|attribute| attribute.value())).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether each isolate ends, and there is no other control of direction.
fn is_balanced(text: &str) -> bool {
    let mut open = 0;
    for c in text.chars() {
        match c {
            '\u{2068}' => open += 1,
            '\u{2069}' if open > 0 => open -= 1,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => return false,
            _ => {}
        }
    }
    open == 0
}

/// Labels of what does harm, and of what stands beside it.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200b}-\u{200f}\u{61c}\u{feff}]",
        "[ \n\t\r\u{a0}\u{2028}\u{3000}]",
        "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{fffe}]",
        "[a-c0-9<&\"'␣\\\\]{1,3}",
        "[א-ת]{1,4}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_label_turns_what_stands_beside_it(labels in prop::collection::vec(hostile(), 1..12)) {
        for (name, picture) in all(&labels) {
            for text in said(&picture) {
                prop_assert!(is_balanced(&text), "{name}: {text:?}");
                let unseen = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{200b}' | '\u{feff}' | '\u{2028}');
                prop_assert!(!text.contains(unseen), "{name}: {text:?}");
            }
        }
    }

    /// Titles say the label in full, then its number.
    #[test]
    fn labels_that_differ_are_shown_different(labels in prop::collection::btree_set(hostile(), 2..12)) {
        let labels: Vec<String> = labels.into_iter().collect();
        let n = labels.len();
        let phi = exact(&from_fn(n, |s| s.iter().map(|i| (i + 1) as f64).sum::<f64>())).unwrap();
        for (name, picture) in [
            ("bar", plot::bar(&labels, &phi).unwrap()),
            ("waterfall", plot::waterfall(&labels, &phi).unwrap()),
            ("force", plot::force(&labels, &phi).unwrap()),
        ] {
            let document = parsed(&picture);
            let bars = document.descendants().filter(|node| node.has_tag_name("path"));
            let titles: Vec<&str> = bars.filter_map(|bar| bar.first_element_child()?.text()).collect();
            let mut players: BTreeMap<&str, &str> = BTreeMap::new();
            for title in &titles {
                let (label, number) = title.rsplit_once(": +").expect("a label and its number");
                prop_assert!(is_balanced(label) && number.parse::<f64>().is_ok(), "{name}: {title:?}");
                let other = players.insert(label, number);
                prop_assert!(other.is_none(), "{name}: {label:?} is {number} and {other:?}");
            }
            prop_assert_eq!(titles.len(), n);
        }
    }
}

#[test]
fn nothing_at_all_and_white_space_differ() {
    let labels = ["", " ", "\n\n", "\u{200b}", "\t", "a  b", "a b", " a", "a", "(empty)"].map(String::from);
    let shown = ["(empty)", "␣", "↵↵", "\\u{200b}", "⇥", "a␣␣b", "a b", "␣a", "a", "&quot;(empty)&quot;"];
    // A force names no more than fit beside each other.
    for (name, picture) in all(&labels).into_iter().filter(|(name, _)| *name != "force") {
        for shown in shown {
            assert!(picture.contains(&format!(">{shown}<")), "{name} does not show {shown}");
        }
    }
}

/// Labels that begin alike, and are too long for a picture.
#[test]
fn what_is_shortened_stays_apart() {
    for ending in ["", " of the second experiment, as it was written down in the evening"] {
        let labels: Vec<String> =
            (0..24).map(|k| format!("a measurement with quite a long name, number {k}{ending}")).collect();
        let phi = exact(&from_fn(12, |s| s.iter().map(|i| (i + 1) as f64).sum::<f64>())).unwrap();
        let game = from_fn(12, |s| s.len() as f64 * s.iter().sum::<usize>() as f64);
        let pairs = shapley::interactions(&game, shapley::Index::Shapley, 2).unwrap();
        let few = &labels[..12];
        for (name, picture, least) in [
            ("bar", plot::bar(few, &phi).unwrap(), 12),
            ("waterfall", plot::waterfall(few, &phi).unwrap(), 12),
            ("force", plot::force(few, &phi).unwrap(), 4),
            ("beeswarm", plot::beeswarm(few, [&phi, &phi], &[]).unwrap(), 12),
            ("network", plot::network(few, &pairs).unwrap(), 12),
        ] {
            let document = parsed(&picture);
            let texts = document.descendants().filter(|node| node.has_tag_name("text"));
            let mut shown: Vec<&str> = texts
                .filter_map(|text| text.children().find(|child| child.is_text())?.text())
                .filter(|text| text.contains('…'))
                .collect();
            let all = shown.len();
            shown.sort_unstable();
            shown.dedup();
            assert!(shown.len() == all && all >= least, "{name}: {shown:?} of {all}");
        }
    }
}

/// Errors that are mere rounding have many digits, and these must not take the room of the bars.
#[test]
fn no_number_takes_the_room_of_the_bars() {
    for (players, length, base) in [(3, 26, 1000.0), (3, 50, 1000.0), (24, 50, 0.0), (19, 1, 1e6), (5, 30, 1e12)] {
        let game = shapley::from_fn(players, |s| base + s.iter().map(|k| (k as f64 - 1.3) / 7.0).sum::<f64>());
        let estimate = shapley::permutation(&game, 2_000).unwrap();
        let names: Vec<String> = (0..players).map(|k| format!("{k}{}", "x".repeat(length))).collect();
        for picture in [plot::waterfall(&names, &estimate).unwrap(), plot::bar(&names, &estimate).unwrap()] {
            let document = parsed(&picture);
            let mut places = Vec::new();
            for node in document.descendants() {
                for name in ["x", "x1", "x2", "cx"] {
                    places.extend(node.attribute(name).and_then(|x| x.parse::<f64>().ok()));
                }
                // What bars are drawn by begins at a place: `M x y`.
                let paths = node.attribute("d").into_iter().flat_map(|d| d.split('M').skip(1));
                places.extend(
                    paths.filter_map(|path| path.trim().split([' ', ',', 'H', 'V', 'L']).next()?.parse::<f64>().ok()),
                );
            }
            assert!(places.len() > 5 && places.iter().all(|x| (0.0..=720.0).contains(x)), "{players}: {places:?}");
        }
    }
}
