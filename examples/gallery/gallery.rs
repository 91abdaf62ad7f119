//! One of each picture, of real results: a sentence, wines, an election and its states.
//!
//! ```text
//! cargo run --release -p gallery             # into the folder gallery; open gallery/index.html
//! cargo run --release -p gallery -- folder   # into another
//! ```

#[path = "../common/states.rs"]
mod states;

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use shapley::games::{Features, WeightedVoting, Words};
use shapley::plot::{self, Text};
use shapley::{Exact, Index, Permutation, Progress, Semivalue, Surrogate};
use states::{QUOTA, STATES};
use vader_sentiment::SentimentIntensityAnalyzer;
use wines::{Wines, matrix};

const SENTENCE: &str = "The acting was not very good but the soundtrack is absolutely wonderful";

/// Thirty words, too many for all 2^30 texts.
const REVIEW: &str = "I did not expect much from the slow and rather dull first hour, but the ending is a brilliant, \
                      moving surprise, and nobody who loves good films should miss it";

/// Texts of the review that the model scores.
const SCORED: u64 = 1_000;

/// Wines in one picture.
const WINES: usize = 100;

/// Files, and what they show.
struct Gallery {
    folder: PathBuf,
    shown: Vec<(&'static str, &'static str)>,
}

impl Gallery {
    fn put(&mut self, file: &'static str, what: &'static str, picture: &str) -> std::io::Result<()> {
        println!("{file:18} {:6} bytes  {what}", picture.len());
        self.shown.push((file, what));
        fs::write(self.folder.join(file), picture)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("gallery"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let mut gallery = Gallery { folder, shown: Vec::new() };
    sentence(&mut gallery)?;
    review(&mut gallery)?;
    wine(&mut gallery)?;
    election(&mut gallery)?;
    fs::write(gallery.folder.join("index.html"), index(&gallery))?;
    println!("open {}", Path::new(&gallery.folder).join("index.html").display());
    Ok(())
}

/// A sentiment model's score of a sentence, exactly, with pairs of words; then three of its scores at once.
fn sentence(gallery: &mut Gallery) -> Result<(), Box<dyn Error>> {
    let model = SentimentIntensityAnalyzer::new();
    let game = Words::new(SENTENCE, |text: &str| model.polarity_scores(text)["compound"]);
    let summary = Exact::new().summary(&game, 2)?;
    let phi = summary.values(&Semivalue::shapley())?;
    let pairs = summary.interactions(Index::Shapley)?;
    let html = Text::new(game.words(), &phi).interactions(&pairs).title("Why is this sentence positive?").html()?;
    gallery.put("text.html", "a sentence, coloured by what its words add", &html)?;
    gallery.put("waterfall.svg", "from the score of no words to that of all", &plot::waterfall(game.words(), &phi)?)?;
    gallery.put("force.svg", "what adds against what takes away", &plot::force(game.words(), &phi)?)?;
    gallery.put("network.svg", "who is worth more, or less, together", &plot::network(game.words(), &pairs)?)?;

    let classes = ["negative", "neutral", "positive"];
    let scores = |text: &str| {
        let scores = model.polarity_scores(text);
        [scores["neg"], scores["neu"], scores["pos"]]
    };
    let game = Words::new(SENTENCE, scores);
    let phi = shapley::exact(&game)?;
    let html = Text::new(game.words(), &phi).outputs(&classes).numbers(true).title("Three scores at once").html()?;
    gallery.put("classes.html", "several outputs, switched", &html)?;
    Ok(())
}

/// The score of a longer text, with pairs of words, estimated from one sample of its coalitions.
fn review(gallery: &mut Gallery) -> Result<(), Box<dyn Error>> {
    let model = SentimentIntensityAnalyzer::new();
    let game = Words::new(REVIEW, |text: &str| model.polarity_scores(text)["compound"]);
    let sample = Surrogate::new(SCORED).summary(&game, 2)?;
    let phi = sample.values(&Semivalue::shapley())?;
    let pairs = sample.interactions(Index::Shapley)?;
    let html = Text::new(game.words(), &phi).interactions(&pairs).title("Why is this review positive?").html()?;
    gallery.put("review.html", "thirty words, estimated: partners that could be zero are faint", &html)?;
    let network = plot::network(game.words(), &pairs)?;
    gallery.put("review.svg", "estimated pairs: those that could be zero are faint", &network)?;
    Ok(())
}

/// A random forest's rating of wines: one of them, with standard errors, and a hundred.
fn wine(gallery: &mut Gallery) -> Result<(), Box<dyn Error>> {
    let Wines { names, seen, known, unseen, hidden } = Wines::load();
    let forest = wines::forest(&seen, &known)?;
    let columns = names.len();
    let model = |rows: &[f64], columns: usize| forest.predict(&matrix(rows, columns)?);
    let explained: Vec<_> = unseen
        .chunks(columns)
        .take(WINES)
        .map(|wine| Permutation::new(250).estimate(&Features::new(wine, &seen[..], model).background_sample(20, 1)))
        .collect::<Result<_, _>>()?;
    println!("wine 0 is rated {}, and the forest says {:.2}", hidden[0], explained[0].attribution().grand());
    let measured = |wine: usize| -> Vec<String> {
        names.iter().zip(&unseen[wine * columns..]).map(|(name, value)| format!("{name} = {value}")).collect()
    };
    gallery.put(
        "bar.svg",
        "an estimate, with whiskers of a standard error",
        &plot::bar(&measured(0), &explained[0])?,
    )?;
    let swarm = plot::beeswarm(&names, &explained, &unseen[..WINES * columns])?;
    gallery.put("beeswarm.svg", "what measurements do to the ratings of 100 wines", &swarm)?;
    Ok(())
}

/// The power of 51 states: the largest, and how a sample grows sure of them.
fn election(gallery: &mut Gallery) -> Result<(), Box<dyn Error>> {
    let college = WeightedVoting::new(QUOTA, STATES.map(|(_, votes)| votes))?;
    let names = STATES.map(|(name, _)| name);
    gallery.put(
        "states.svg",
        "many players: the largest, and the others together",
        &plot::waterfall(&names, &college.shapley_shubik())?,
    )?;
    let seen = Mutex::new(Vec::new());
    let note = |progress: &Progress| {
        seen.lock().expect("no observer panics").push(progress.clone());
        ControlFlow::Continue(())
    };
    let _ = Permutation::new(400_000).seed(7).threads(1).observe(note).estimate(&college)?;
    let seen = seen.into_inner()?;
    gallery.put("convergence.svg", "how an estimate grows sure", &plot::convergence(&seen)?)?;
    Ok(())
}

/// A page of all of them.
fn index(gallery: &Gallery) -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>Gallery of shapley</title>\n\
         <style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:760px;margin:0 auto;padding:16px}\
         img{max-width:100%;height:auto}iframe{width:100%;height:380px;border:0}h2{font-size:18px}@media(max-width:600px){iframe{height:640px}}</style></head>\n\
         <body><h1>Gallery of shapley</h1>\n",
    );
    for (file, what) in &gallery.shown {
        let shown = if file.ends_with(".html") {
            format!("<iframe src=\"{file}\" title=\"{what}\"></iframe>")
        } else {
            format!("<img src=\"{file}\" alt=\"{what}\"/>")
        };
        page += &format!("<section><h2>{what}</h2>\n{shown}\n<p><a href=\"{file}\">{file}</a></p></section>\n");
    }
    page + "</body></html>\n"
}
