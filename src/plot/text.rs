use super::color::{LOOKS, Theme, hex, tint};
use super::explanation::Output;
use super::graph::Edge;
use super::label::escape;
use super::number::Format;
use super::{Explanation, InteractionGraph, PlotError};
use crate::display::{isolated, label};

/// How many partners of a word are named.
const PARTNERS: usize = 3;

/// Parts of a lane that are narrower than this, in percent, are not seen.
const NARROWEST: f64 = 0.02;

const STYLE: &str = include_str!("text/style.css");
const SCRIPT: &str = include_str!("text/script.js");

/// A text whose words are coloured by their values, as an HTML page of its own: [`Text`] without options.
///
/// # Errors
///
/// Those of [`Text::html`].
pub fn text(words: &[impl AsRef<str>], explanation: impl Into<Explanation>) -> Result<String, PlotError> {
    Text::new(words, explanation).html()
}

/// A text whose words are coloured by their values, as an HTML page that needs nothing else: orange words add to the
/// output, blue ones take from it, the stronger the more. Two lanes above show how the words carry the base value to
/// the output.
///
/// Pointing at a word, or going to it with Tab and the arrow keys, shows its number and its part of the lanes, and with
/// [`interactions`](Self::interactions) its strongest partners; a switch shows all numbers. Several outputs can be
/// switched. It works without a network, on a phone's width, and on light and dark ground; without scripts too, but for
/// what follows the pointer.
///
/// ```
/// use shapley::{Index, games::Words, plot::Text};
///
/// let game = Words::new("not bad at all", |text: &str| if text.contains("not bad") { 1.0 } else { 0.0 });
/// let phi = shapley::exact(&game)?;
/// let pairs = shapley::interactions(&game, Index::Shapley, 2)?;
/// let html = Text::new(game.words(), &phi).interactions(&pairs).title("Not bad").html()?;
/// assert!(html.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Text {
    words: Vec<String>,
    explanation: Explanation,
    interactions: Option<InteractionGraph>,
    outputs: Option<Vec<String>>,
    title: Option<String>,
    numbers: bool,
}

impl Text {
    /// A page of these words and their values.
    pub fn new(words: &[impl AsRef<str>], explanation: impl Into<Explanation>) -> Self {
        let words = words.iter().map(|word| label(word.as_ref())).collect();
        Self { words, explanation: explanation.into(), interactions: None, outputs: None, title: None, numbers: false }
    }

    /// Shows each word's three strongest partners: interactions of order 2 or more, of the same game and outputs, as
    /// `Interactions` or an `InteractionEstimate` has them. Estimated ones have their standard errors, and partners
    /// that could be zero, since the intervals of their pairs at 95 % hold it, are said to and have a fainter outline.
    pub fn interactions(mut self, interactions: impl Into<InteractionGraph>) -> Self {
        self.interactions = Some(interactions.into());
        self
    }

    /// The pairs of each output.
    fn pairs(&self) -> Result<Option<&[Vec<Edge>]>, PlotError> {
        let Some(graph) = &self.interactions else { return Ok(None) };
        let (players, expected) = (graph.players(), self.words.len());
        if players != expected {
            return Err(PlotError::Players { what: "the set of interactions".to_owned(), players, expected });
        }
        let (outputs, expected) = (graph.outputs(), self.explanation.outputs());
        if outputs != expected {
            return Err(PlotError::Outputs { outputs, expected });
        }
        graph.edges().map(Some)
    }

    /// Names the outputs, in their order; otherwise they are numbered.
    pub fn outputs(mut self, names: &[impl AsRef<str>]) -> Self {
        self.outputs = Some(names.iter().map(|name| label(name.as_ref())).collect());
        self
    }

    /// A title above the text, and of the page.
    pub fn title(mut self, title: &str) -> Self {
        self.title = Some(label(title));
        self
    }

    /// Whether all numbers are shown when the page opens. Not by default; a switch on the page changes it.
    pub fn numbers(mut self, shown: bool) -> Self {
        self.numbers = shown;
        self
    }

    /// The page. It is well-formed XML too.
    ///
    /// # Errors
    ///
    /// [`PlotError`], if there are not as many words as players, or as many names as outputs; if the interactions are
    /// of other players, other outputs or of order 1; or if a value is not finite.
    pub fn html(&self) -> Result<String, PlotError> {
        self.explanation.check(self.words.len())?;
        let outputs = self.explanation.outputs();
        if let Some(names) = &self.outputs
            && names.len() != outputs
        {
            return Err(PlotError::OutputNames { names: names.len(), outputs });
        }
        let pairs = self.pairs()?;

        let mut page = String::new();
        let title = self.title.as_deref().unwrap_or("Explained text");
        let switch = |k: usize| {
            format!(
                "#o{k}:checked~.out{k}{{display:block}}\
                 #o{k}:checked~nav [for=o{k}]{{background:var(--ink);color:var(--ground)}}\
                 #o{k}:focus-visible~nav [for=o{k}]{{outline:2px solid}}"
            )
        };
        let switches: String = (0..outputs).map(switch).collect();
        page.push_str(&format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n\
                 <style>\n{}{STYLE}{switches}\n</style>\n</head>\n<body>\n<main>\n",
            escape(title),
            variables(),
        ));
        if self.title.is_some() {
            page.push_str(&format!("<h1>{}</h1>\n", escape(title)));
        }
        for output in 0..outputs {
            let checked = if output == 0 { " checked=\"checked\"" } else { "" };
            page.push_str(&format!(
                "<input type=\"radio\" name=\"output\" id=\"o{output}\" class=\"pick\"{checked}/>\n"
            ));
        }
        let checked = if self.numbers { " checked=\"checked\"" } else { "" };
        page.push_str(&format!("<input type=\"checkbox\" id=\"numbers\" class=\"pick\"{checked}/>\n<nav>\n"));
        if outputs > 1 {
            for output in 0..outputs {
                page.push_str(&format!("<label for=\"o{output}\">{}</label>\n", escape(&self.output_name(output))));
            }
        }
        page.push_str("<label for=\"numbers\">numbers</label>\n</nav>\n");
        for (k, output) in self.explanation.outputs.iter().enumerate() {
            let pairs = pairs.map(|pairs| pairs[k].as_slice());
            page.push_str(&format!("<section class=\"out out{k}\" aria-label=\"{}\">\n", escape(&self.output_name(k))));
            self.lanes(&mut page, output);
            self.sentence(&mut page, output, pairs);
            page.push_str("</section>\n");
        }
        page.push_str(&format!("</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"));
        Ok(page)
    }

    fn output_name(&self, output: usize) -> String {
        self.outputs.as_ref().map_or_else(|| format!("output {output}"), |names| names[output].clone())
    }

    /// How the words carry the base value to the output: what adds, and below it what takes away.
    fn lanes(&self, page: &mut String, output: &Output) {
        let up: f64 = output.values.iter().filter(|value| **value > 0.0).sum();
        let down: f64 = output.values.iter().filter(|value| **value < 0.0).sum();
        let (peak, end) = (output.baseline + up, output.baseline + up + down);
        let (low, high) = (output.baseline.min(end).min(output.grand), peak.max(output.grand));
        let span = high - low;
        let percent = |value: f64| if span > 0.0 { 100.0 * (value - low) / span } else { 50.0 };
        let format = output.ends_format();
        let [base, result] = [output.baseline, output.grand].map(|value| format.plain(value));
        page.push_str(&format!(
            "<div class=\"lanes\" role=\"img\" aria-label=\"From the base value {base} to the output {result}\">\n\
                 <span class=\"name base\" style=\"--x:{0:.2}\">base value <b>{base}</b></span>\n",
            percent(output.baseline)
        ));
        for (class, start, sign) in [("up", output.baseline, 1.0), ("down", peak, -1.0)] {
            page.push_str(&format!("<div class=\"lane {class}\">"));
            let mut at = start;
            for player in output.order() {
                let value = output.values[player];
                if sign * value <= 0.0 {
                    continue;
                }
                let (left, right) = (percent(at.min(at + value)), percent(at.max(at + value)));
                at += value;
                if right - left < NARROWEST {
                    continue;
                }
                let (word, number) = (escape(&self.words[player]), output.number(player));
                page.push_str(&format!(
                    "<span class=\"seg\" data-i=\"{player}\" title=\"{}: {number}\" \
                         style=\"left:{left:.2}%;width:{:.2}%\"><span>{word}</span></span>",
                    isolated(&word),
                    right - left
                ));
            }
            page.push_str("</div>\n");
        }
        page.push_str(&format!(
            "<i class=\"at from\" style=\"--x:{0:.2}\"></i><i class=\"at to\" style=\"--x:{1:.2}\"></i>\n\
                 <span class=\"name\" style=\"--x:{1:.2}\">output <b>{result}</b></span>\n</div>\n",
            percent(output.baseline),
            percent(output.grand)
        ));
    }

    /// The words themselves, what is said of the one pointed at, and the legend.
    fn sentence(&self, page: &mut String, output: &Output, pairs: Option<&[Edge]>) {
        let largest = output.values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let format = output.format();
        let pair_format = Format::of(pairs.unwrap_or_default().iter().map(|pair| pair.value));
        page.push_str("<p class=\"words\" dir=\"auto\">\n");
        for (player, (word, value)) in self.words.iter().zip(&output.values).enumerate() {
            let share = if largest > 0.0 { value / largest } else { 0.0 };
            let number = output.number(player);
            let partners = partners(player, pairs.unwrap_or_default());
            let mut say = format!("{}: {number}", isolated(word));
            if pairs.is_some() {
                let named: Vec<String> = partners
                    .iter()
                    .map(|(other, pair)| format!("{} {}", isolated(&self.words[*other]), pair.number(pair_format)))
                    .collect();
                let named = if named.is_empty() { "nobody".to_owned() } else { named.join(", ") };
                say.push_str(&format!(" \u{b7} strongest with {named}"));
            }
            let with: Vec<String> = partners
                .iter()
                .map(|(other, pair)| {
                    let sign = if pair.value < 0.0 { '-' } else { '+' };
                    format!("{other}{sign}{}", if pair.could_be_zero { "?" } else { "" })
                })
                .collect();
            let with = if with.is_empty() { String::new() } else { format!(" data-with=\"{}\"", with.join(" ")) };
            let sign = match share {
                // A stroke beneath says the sign to those who see no colours, where there is a sign to speak of.
                share if share > 0.05 => " adds",
                share if share < -0.05 => " takes",
                _ => "",
            };
            page.push_str(&format!(
                    "<button type=\"button\" class=\"w{sign}\" data-i=\"{player}\" data-say=\"{}\"{with} title=\"{number}\" \
                     tabindex=\"{}\" style=\"--l:{};--d:{}\"><span>{}</span><small dir=\"ltr\">{}</small></button>\n",
                    escape(&say),
                    if player == 0 { "0" } else { "-1" },
                    hex(tint(Theme::Light, share)),
                    hex(tint(Theme::Dark, share)),
                    escape(word),
                    format.signed(*value),
                ),
            );
        }
        let most = format.plain(largest);
        page.push_str(&format!(
                "</p>\n<p class=\"detail\" aria-live=\"polite\">Point at a word, or go to it with Tab and the arrow keys.</p>\n\
                 <p class=\"legend\"><span>takes away −{most}</span><i></i><span>+{most} adds</span></p>\n"
            ),
        );
    }
}

/// Who adds most with a player, whatever the sign.
fn partners(player: usize, pairs: &[Edge]) -> Vec<(usize, &Edge)> {
    let mut partners: Vec<(usize, &Edge)> = pairs
        .iter()
        .filter(|pair| pair.value.abs() > 0.0)
        .filter_map(|pair| match pair.players {
            [one, other] if one == player => Some((other, pair)),
            [other, one] if one == player => Some((other, pair)),
            _ => None,
        })
        .collect();
    partners.sort_by(|(_, left), (_, right)| right.value.abs().total_cmp(&left.value.abs()));
    partners.truncate(PARTNERS);
    partners
}

/// The colours of both themes, as variables of the style sheet.
fn variables() -> String {
    let of = |theme: Theme| -> String {
        LOOKS.iter().map(|(_, name, colors)| format!("--{name}:{};", hex(colors[theme as usize]))).collect()
    };
    format!(
        ":root{{color-scheme:light dark;{}}}\n.w{{background:var(--l)}}\n\
         @media (prefers-color-scheme:dark){{:root{{{}}}.w{{background:var(--d)}}}}\n",
        of(Theme::Light),
        of(Theme::Dark)
    )
}
