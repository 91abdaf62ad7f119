use std::f64::consts::TAU;

use super::label::fitted;
use super::number::Format;
use super::svg::{Anchor, Paint, SIZE, SMALL, Svg, WIDTH};
use super::{Explanation, PlotError};
use crate::display::{isolated, label};
use crate::{Interactions, Value};

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
/// Nodes are the values of single players among the `interactions`.
///
/// # Errors
///
/// [`PlotError`], if there are not as many labels as players, the interactions are of order 1, have several outputs, or
/// are not finite.
///
/// ```
/// use shapley::{Index, plot};
///
/// let game = shapley::from_fn(3, |s| f64::from(u8::from(s.contains(0) && s.contains(1))));
/// let pairs = shapley::interactions(&game, Index::KShapley, 2)?;
/// assert!(plot::network(&["a", "b", "c"], &pairs)?.starts_with("<svg"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn network<V: Value>(labels: &[impl AsRef<str>], interactions: &Interactions<V>) -> Result<String, PlotError> {
    let outputs = interactions.get(&[]).map_or(0, |value| value.components().count());
    if outputs != 1 {
        return Err(PlotError::SeveralOutputs { outputs });
    }
    let pairs = pairs(interactions, 0)?;
    let players = interactions.num_players();
    let values: Vec<f64> = (0..players)
        .map(|player| interactions.get(&[player]).and_then(|value| value.components().next()).unwrap_or(0.0))
        .collect();
    let ends = super::explanation::Output { values, std_errors: None, baseline: 0.0, grand: 0.0 };
    let explanation = Explanation { outputs: vec![ends] };
    explanation.check(labels.len())?;
    let values = &explanation.outputs[0].values;

    // A player matters by what it is worth and by what it does with others.
    let mut weight: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    for (i, j, value) in &pairs {
        weight[*i] += value.abs();
        weight[*j] += value.abs();
    }
    let mut shown = crate::display::largest_first(weight.iter());
    shown.truncate(MOST_NODES);
    shown.sort_unstable();
    let mut place = vec![None; players];
    shown.iter().enumerate().for_each(|(k, &player)| place[player] = Some(k));
    let mut edges: Vec<_> = pairs
        .iter()
        .filter_map(|(i, j, value)| Some((place[*i]?, place[*j]?, *value)))
        .filter(|(_, _, v)| v.abs() > 0.0)
        .collect();
    edges.sort_by(|(_, _, left), (_, _, right)| right.abs().total_cmp(&left.abs()));
    let all = pairs.iter().filter(|(_, _, value)| value.abs() > 0.0).count();
    edges.truncate(MOST_EDGES);
    let strongest = edges.first().map_or(0.0, |(_, _, value)| value.abs());
    edges.retain(|(_, _, value)| value.abs() >= WEAKEST * strongest);

    let largest = values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let (node_format, edge_format) = (Format::up_to(largest), Format::up_to(strongest));
    let names: Vec<String> = shown.iter().map(|&player| label(labels[player].as_ref())).collect();
    let (center, circle) = ([WIDTH / 2.0, 262.0], 190.0);
    let angle = |k: usize| TAU * (k as f64 / shown.len() as f64 - 0.25);
    let point = |k: usize, radius: f64| [center[0] + radius * angle(k).cos(), center[1] + radius * angle(k).sin()];
    let share = |value: f64, most: f64| if most > 0.0 { value.abs() / most } else { 0.0 };

    let mut svg = Svg::default();
    // The strongest lie on top.
    for (i, j, value) in edges.iter().rev() {
        let thick = 0.8 + 9.0 * share(*value, strongest);
        let dashes = if *value < 0.0 { "7 4" } else { "" };
        svg.line(point(*i, circle), point(*j, circle), thick, Paint::of(*value), dashes);
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
    let short = fitted(&names.iter().map(String::as_str).collect::<Vec<_>>(), &rooms, SIZE);
    for (k, &player) in shown.iter().enumerate() {
        let number = node_format.signed(values[player]);
        svg.disc(point(k, circle), radius(k) + 2.0, Paint::Ground, "");
        svg.disc(point(k, circle), radius(k), Paint::of(values[player]), &format!("{}: {number}", isolated(&names[k])));
        let ([x, y], anchor, _) = held(k);
        let upwards = angle(k).sin();
        let below = match upwards {
            _ if upwards < -0.9 => -2.0,
            _ if upwards > 0.9 => 12.0,
            _ => 5.0,
        };
        let whole = format!("{} {number}", isolated(&names[k]));
        svg.short_text([x, y + below], anchor, SIZE, Paint::Ink, &isolated(&short[k]), &whole);
    }
    let mut y = caption(&mut svg, center[1] + circle + 66.0, [largest, strongest], [node_format, edge_format]);
    let left_out = [
        (players - shown.len(), "players are smaller and not shown"),
        (all - edges.len(), "pairs are weaker and not shown"),
    ];
    for (k, what) in left_out.iter().filter(|(k, _)| *k > 0) {
        let line = format!("the other {k} {what}");
        svg.text([WIDTH / 2.0, y], Anchor::Middle, SMALL, Paint::Muted, &line);
        y += 18.0;
    }
    Ok(svg.finish(WIDTH, y, &format!("Interactions of {players} players")))
}

/// What sizes and strokes mean.
fn caption(svg: &mut Svg, y: f64, [largest, strongest]: [f64; 2], [nodes, edges]: [Format; 2]) -> f64 {
    let x = WIDTH / 2.0;
    svg.disc([x - 280.0, y], 20.0, Paint::Muted, "");
    let text = format!("a player worth ±{}", nodes.plain(largest));
    svg.text([x - 252.0, y + 4.0], Anchor::Start, SMALL, Paint::Muted, &text);
    for (at, value, dashes, name) in
        [(-60.0, strongest, "", "worth more together"), (140.0, -strongest, "7 4", "worth less together")]
    {
        svg.line([x + at, y], [x + at + 40.0, y], 9.8, Paint::of(if dashes.is_empty() { 1.0 } else { -1.0 }), dashes);
        let text = edges.signed(value);
        svg.text([x + at + 48.0, y - 3.0], Anchor::Start, SMALL, Paint::Muted, name);
        svg.text([x + at + 48.0, y + 12.0], Anchor::Start, SMALL, Paint::Muted, &text);
    }
    y + 44.0
}

/// All pairs of players with their interactions, of one output.
pub(crate) fn pairs<V: Value>(
    interactions: &Interactions<V>,
    output: usize,
) -> Result<Vec<(usize, usize, f64)>, PlotError> {
    if interactions.order() < 2 {
        return Err(PlotError::NoPairs { order: interactions.order() });
    }
    let outputs = interactions.get(&[]).map_or(0, |value| value.components().count());
    if output >= outputs {
        return Err(PlotError::NoOutput { output, outputs });
    }
    let mut pairs = Vec::new();
    for (set, value) in interactions.iter().filter(|(set, _)| set.len() == 2) {
        let players: Vec<usize> = set.iter().collect();
        let value = value.components().nth(output).unwrap_or(f64::NAN);
        if !value.is_finite() {
            return Err(PlotError::NotFinite { player: players[0], value });
        }
        pairs.push((players[0], players[1], value));
    }
    Ok(pairs)
}
