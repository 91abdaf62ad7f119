use std::f64::consts::TAU;

use super::graph::{COULD_BE_ZERO, Edge};
use super::label::fitted;
use super::number::Format;
use super::svg::{Anchor, Paint, SIZE, SMALL, Svg, WIDTH};
use super::{InteractionGraph, PlotError};
use crate::display::{isolated, label};

/// Players that are drawn: more names do not fit around the circle.
const MOST_NODES: usize = 24;

/// Edges that are weaker than this, as a share of the strongest, say nothing to the eye.
const WEAKEST: f64 = 0.05;

/// Edges that are drawn: more of them hide each other.
const MOST_EDGES: usize = 60;

/// Players as nodes on a circle, by the size of their values; pairwise interactions as edges, by theirs. Blue and
/// dashed takes away, orange and whole adds. The 24 players of the largest values and interactions are drawn, and their
/// 60 strongest pairs of at least a twentieth of the strongest; what is left out is counted below.
///
/// Nodes are the values of single players among the `interactions`. Pointing at a player or a pair shows its number,
/// and its standard error if the interactions are estimated. Pairs that could be zero, since their intervals at 95 %
/// hold it, are drawn fainter and below the others.
///
/// # Errors
///
/// [`PlotError`], if there are not as many labels as players, the interactions are of order 1, have several outputs
/// (choose one by [`InteractionGraph::output`]), or are not finite.
///
/// ```
/// use shapley::{Index, plot};
///
/// let game = shapley::from_fn(3, |s| f64::from(u8::from(s.contains(0) && s.contains(1))));
/// let pairs = shapley::interactions(&game, Index::KShapley, 2)?;
/// assert!(plot::network(&["a", "b", "c"], &pairs)?.starts_with("<svg"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn network(labels: &[impl AsRef<str>], interactions: impl Into<InteractionGraph>) -> Result<String, PlotError> {
    let graph = interactions.into();
    let (nodes, pairs) = graph.only(labels.len())?;
    let (players, values) = (labels.len(), &nodes.values);

    // A player matters by what it is worth and by what it does with others.
    let mut weight: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    for Edge { players, value, .. } in pairs {
        players.iter().for_each(|player| weight[*player] += value.abs());
    }
    let mut shown = crate::display::largest_first(weight.iter());
    shown.truncate(MOST_NODES);
    shown.sort_unstable();
    let mut place = vec![None; players];
    shown.iter().enumerate().for_each(|(k, &player)| place[player] = Some(k));
    let mut edges: Vec<&Edge> = pairs.iter().filter(|edge| edge.value.abs() > 0.0).collect();
    let all = edges.len();
    edges.retain(|edge| edge.players.iter().all(|player| place[*player].is_some()));
    edges.sort_by(|left, right| right.value.abs().total_cmp(&left.value.abs()));
    edges.truncate(MOST_EDGES);
    let strongest = edges.first().map_or(0.0, |edge| edge.value.abs());
    edges.retain(|edge| edge.value.abs() >= WEAKEST * strongest);
    let faint = edges.iter().any(|edge| edge.could_be_zero);

    let largest = values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let edge_format = Format::up_to(strongest);
    let names: Vec<String> = labels.iter().map(|name| label(name.as_ref())).collect();
    let (center, circle) = ([WIDTH / 2.0, 262.0], 190.0);
    let angle = |k: usize| TAU * (k as f64 / shown.len() as f64 - 0.25);
    let point = |k: usize, radius: f64| [center[0] + radius * angle(k).cos(), center[1] + radius * angle(k).sin()];
    let share = |value: f64, most: f64| if most > 0.0 { value.abs() / most } else { 0.0 };

    let mut svg = Svg::default();
    // The strongest lie on top; below all that are sure, those that are not.
    edges.sort_by_key(|edge| edge.could_be_zero);
    for edge in edges.iter().rev() {
        let thick = 0.8 + 9.0 * share(edge.value, strongest);
        let ends = edge.players.map(|player| point(place[player].unwrap_or(0), circle));
        svg.edge(ends, thick, edge.value, edge.could_be_zero, &edge.title(&names, edge_format));
    }
    let radius = |k: usize| 5.0 + 15.0 * share(values[shown[k]], largest).sqrt();
    // Where each name is held, and how much room it has.
    let held = |k: usize| {
        let [x, y] = point(k, circle + radius(k) + 8.0);
        let sideways = angle(k).cos();
        let (anchor, room) = if sideways.abs() < 0.1 {
            (Anchor::Middle, (2.0 * circle * (TAU / shown.len() as f64).sin().abs()).clamp(60.0, 160.0))
        } else if sideways > 0.0 {
            (Anchor::Start, WIDTH - 8.0 - x)
        } else {
            (Anchor::End, x - 8.0)
        };
        ([x, y], anchor, room)
    };
    let rooms: Vec<f64> = (0..shown.len()).map(|k| held(k).2).collect();
    let short = fitted(&shown.iter().map(|&player| names[player].as_str()).collect::<Vec<_>>(), &rooms, SIZE);
    for (k, &player) in shown.iter().enumerate() {
        let (name, number) = (isolated(&names[player]), nodes.number(player));
        svg.disc(point(k, circle), radius(k) + 2.0, Paint::Ground, "");
        svg.disc(point(k, circle), radius(k), Paint::of(values[player]), &format!("{name}: {number}"));
        let ([x, y], anchor, _) = held(k);
        let upwards = angle(k).sin();
        let below = match upwards {
            _ if upwards < -0.9 => -2.0,
            _ if upwards > 0.9 => 12.0,
            _ => 5.0,
        };
        let text = isolated(&short[k]);
        svg.short_text([x, y + below], anchor, SIZE, Paint::Ink, &text, &format!("{name} {number}"));
    }
    let mut y = caption(&mut svg, center[1] + circle + 66.0, [largest, strongest], faint);
    let left_out = [(players - shown.len(), "player", "smaller"), (all - edges.len(), "pair", "weaker")];
    for (k, who, how) in left_out.into_iter().filter(|(k, ..)| *k > 0) {
        let line = match k {
            1 => format!("the other {who} is {how} and not shown"),
            _ => format!("the other {k} {who}s are {how} and not shown"),
        };
        svg.text([WIDTH / 2.0, y], Anchor::Middle, SMALL, Paint::Muted, &line);
        y += 18.0;
    }
    Ok(svg.finish(WIDTH, y, &format!("Interactions of {players} players")))
}

/// What sizes and strokes mean.
fn caption(svg: &mut Svg, y: f64, [largest, strongest]: [f64; 2], faint: bool) -> f64 {
    let (x, format) = (WIDTH / 2.0, Format::up_to(strongest));
    svg.disc([x - 280.0, y], 20.0, Paint::Muted, "");
    let text = format!("a player worth ±{}", Format::up_to(largest).plain(largest));
    svg.text([x - 252.0, y + 4.0], Anchor::Start, SMALL, Paint::Muted, &text);
    let places = [-60.0, 140.0];
    for (at, sign, name) in [(places[0], 1.0, "worth more together"), (places[1], -1.0, "worth less together")] {
        svg.edge([[x + at, y], [x + at + 40.0, y]], 9.8, sign, false, name);
        svg.text([x + at + 48.0, y - 3.0], Anchor::Start, SMALL, Paint::Muted, name);
        svg.text([x + at + 48.0, y + 12.0], Anchor::Start, SMALL, Paint::Muted, &format.signed(sign * strongest));
    }
    if !faint {
        return y + 44.0;
    }
    let y = y + 34.0;
    let text = format!("{COULD_BE_ZERO}: the 95% interval of the pair holds it");
    for (k, sign) in [1.0, -1.0].into_iter().enumerate() {
        let from = x + places[0] - 48.0 * k as f64;
        svg.edge([[from, y], [from + 40.0, y]], 9.8, sign, true, COULD_BE_ZERO);
    }
    svg.text([x + places[0] + 48.0, y + 4.0], Anchor::Start, SMALL, Paint::Muted, &text);
    y + 34.0
}
