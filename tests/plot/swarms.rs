//! The beeswarm: how many there are is seen, and what the colours mean.

use crate::pictures::parsed;
use shapley::plot;
use shapley::{Attribution, exact, from_fn};

/// The colours at the ends of the scale.
const SMALLEST: &str = "#00224e";
const LARGEST: &str = "#e1cc55";
const WHITE: &str = "#ffffff";

fn of(value: f64) -> Attribution<f64> {
    exact(&from_fn(1, |s| s.len() as f64 * value)).unwrap()
}

/// The dots of a picture of one player: places from left to right and from top to bottom, and colours.
fn dots(picture: &str) -> Vec<(f64, f64, String)> {
    let document = parsed(picture);
    let dots = document.descendants().filter(|node| node.has_tag_name("circle"));
    let number = |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap();
    dots.map(|dot| (number(dot, "cx"), number(dot, "cy"), dot.attribute("fill").unwrap().to_owned())).collect()
}

/// How high the dots are that lie between two places, as shares of the picture's width.
fn height(picture: &str, from: f64, to: f64) -> f64 {
    let all = dots(picture);
    let (left, right) = all.iter().fold((f64::INFINITY, 0.0_f64), |(l, r), (x, ..)| (l.min(*x), r.max(*x)));
    let share = |x: f64| (x - left) / (right - left);
    let ys = all.iter().filter(|(x, ..)| (from..=to).contains(&share(*x))).map(|(_, y, _)| *y);
    let (low, high) = ys.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    high - low
}

#[test]
fn a_row_is_as_high_as_there_are_dots() {
    let many = |left: usize, right: usize| {
        let all: Vec<_> = (0..left + right).map(|k| of(if k < left { -1.0 } else { 1.0 })).collect();
        plot::beeswarm(&["flag"], &all, &[]).unwrap()
    };
    for (left, right) in [(990, 10), (900, 100), (50, 500), (6, 2)] {
        let picture = many(left, right);
        let (here, there) = (height(&picture, 0.0, 0.1), height(&picture, 0.9, 1.0));
        let (ratio, wanted) = (here / there, (left - 1) as f64 / (right - 1) as f64);
        assert!((ratio / wanted - 1.0).abs() < 0.1, "{left} and {right}: {here} and {there}");
        assert!(here.max(there) <= 31.0, "it stays in its row: {here} and {there}");
        assert_eq!(dots(&picture).len(), left + right);
    }
    assert!(many(990, 10).contains("each row is scaled to its highest stack, of 990 dots"));
    assert!(!many(6, 2).contains("as high as there is room"), "nothing is scaled");
}

#[test]
fn a_bell_is_higher_than_a_plain() {
    let thousand = |place: &dyn Fn(f64) -> f64| {
        let all: Vec<_> = (0..1000).map(|k| of(place((f64::from(k) + 0.5) / 1000.0))).collect();
        plot::beeswarm(&["x"], &all, &[]).unwrap()
    };
    // A logistic distribution by its quantiles.
    let bell = thousand(&|share| (share / (1.0 - share)).ln());
    let plain = thousand(&|share| share);
    // Where its density is less than half of that in the middle, and where it is next to nothing.
    let [middle, slope, edge] = [height(&bell, 0.45, 0.55), height(&bell, 0.63, 0.66), height(&bell, 0.05, 0.15)];
    assert!(
        middle > 1.8 * slope && slope > 2.0 * edge,
        "{middle} in the middle, {slope} on the slope, {edge} at the edge"
    );
    let [middle, edge] = [height(&plain, 0.45, 0.55), height(&plain, 0.05, 0.15)];
    assert!(middle < 1.2 * edge && edge < 1.2 * middle, "{middle} in the middle, {edge} at the edge");
}

#[test]
fn the_ones_of_a_flag_have_the_colour_of_the_largest() {
    for ones in [1, 10, 500, 990, 999] {
        let all: Vec<_> = (0..1000).map(|k| of(if k < ones { 1.0 } else { -1.0 })).collect();
        let flag: Vec<f64> = (0..1000).map(|k| f64::from(u8::from(k < ones))).collect();
        let picture = plot::beeswarm(&["flag"], &all, &flag).unwrap();
        let dots = dots(&picture);
        let (left, right): (Vec<_>, Vec<_>) = dots.iter().partition(|(x, ..)| *x < 400.0);
        assert!(left.iter().all(|(.., color)| color == SMALLEST), "{ones} ones");
        assert!(right.len() == ones && right.iter().all(|(.., color)| color == LARGEST), "{ones} ones");
        // The legend ends in it.
        let document = parsed(&picture);
        let last = document.descendants().rfind(|node| node.has_tag_name("rect")).unwrap();
        assert_eq!(last.attribute("fill"), Some(LARGEST));
    }
}

#[test]
fn missing_values_are_in_the_legend() {
    let all: Vec<_> = (0..5).map(|k| of(f64::from(k))).collect();
    let picture = |features: [f64; 5]| plot::beeswarm(&["x"], &all, &features).unwrap();
    let some = picture([f64::NEG_INFINITY, 1.0, f64::NAN, 3.0, f64::INFINITY]);
    assert!(some.contains(">missing</text>"));
    let colors: Vec<String> = dots(&some).into_iter().map(|(.., color)| color).collect();
    assert_eq!(colors.iter().filter(|color| *color == WHITE).count(), 2, "the dot, and that of the legend");
    assert_eq!((colors[0].as_str(), colors[2].as_str(), colors[4].as_str()), (SMALLEST, WHITE, LARGEST));
    assert!(!picture([1.0; 5]).contains("missing"));
    assert!(!plot::beeswarm(&["x"], &all, &[]).unwrap().contains("missing"));
}
