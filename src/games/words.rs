//! A text whose words are the players.

use std::fmt;

use crate::{Coalition, Game, Value};

/// The words of a text, and what is left of the text when only some of them are there.
///
/// The text is split on white space, as Unicode defines it, and punctuation stays with its word. Kept words keep their
/// order and are joined by one space. An absent word vanishes, or becomes the [mask](Self::mask).
///
/// [`Words`] makes a game of it. Use a `Sentence` itself where the model can fail or wants batches:
///
/// ```
/// use shapley::{games::Sentence, try_from_fn};
///
/// let sentence = Sentence::new("not at all bad");
/// let model = |text: &str| -> Result<f64, std::io::Error> { Ok(text.len() as f64) };
/// let game = try_from_fn(sentence.len(), |kept| model(&sentence.keep(kept)));
/// let phi = shapley::exact(&game)?;
/// # assert!((phi.iter().sum::<f64>() - 14.0).abs() < 1e-12);
/// # Ok::<(), shapley::Error<std::io::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    words: Vec<String>,
    mask: Option<String>,
}

impl Sentence {
    /// Splits a text into its words.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self { words: text.as_ref().split_whitespace().map(str::to_owned).collect(), mask: None }
    }

    /// Lets absent words become `token` instead of vanishing.
    #[must_use]
    pub fn mask(self, token: impl Into<String>) -> Self {
        Self { mask: Some(token.into()), ..self }
    }

    /// The words, in their order: player i is word i.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are no words: the text was empty or white space.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The text of the words in `kept`, the others gone or masked.
    ///
    /// ```
    /// use shapley::{Coalition, games::Sentence};
    ///
    /// let sentence = Sentence::new("not  a bad\tfilm!");
    /// let kept = Coalition::from_players(4, [0, 3]);
    /// assert_eq!(sentence.keep(&kept), "not film!");
    /// assert_eq!(sentence.mask("[MASK]").keep(&kept), "not [MASK] [MASK] film!");
    /// ```
    #[must_use]
    pub fn keep(&self, kept: &Coalition) -> String {
        let mut text = String::new();
        let mut separator = "";
        for (player, word) in self.words.iter().enumerate() {
            if let Some(shown) = if kept.contains(player) { Some(word) } else { self.mask.as_ref() } {
                text.push_str(separator);
                text.push_str(shown);
                separator = " ";
            }
        }
        text
    }
}

/// A text and a model that scores texts: which word made the model say so?
///
/// The players are the words; a coalition's value is the score of the text that its words make, in their order (see
/// [`Sentence`] for how a text is split and joined). For a text of N words, the value of word i is
///
/// φᵢ = Σ over S ⊆ N∖{i} of |S|! (N−|S|−1)! / N! · [v(S ∪ {i}) − v(S)]
///
/// and its three factors say what it means. The **difference** is what the word adds to the score where the words S
/// stand already: "not" adds little alone and takes much away beside "good". The **weight** is the probability that
/// exactly the words S are there when word i comes, if the words come one by one in a random order: |S|! orders of
/// those before, (N−|S|−1)! of those after, out of N!. The **sum** goes over every text that the other words can make.
/// So φᵢ is what the word adds on average, and all of them sum to score(text) − score(no words).
///
/// An exact answer takes 2^N scores: 4096 for 12 words, a million for 20. A text without words is a game without
/// players, which solvers refuse with [`NoPlayers`](crate::Error::NoPlayers).
///
/// Leaving words out gives texts that nobody would write, and a model may treat them oddly; a [mask](Self::mask) token
/// that the model was trained with can be the fairer absence.
///
/// Shapley (1953), "A value for n-person games", in *Contributions to the Theory of Games II*, 307–317,
/// doi:10.1515/9781400881970-018; for texts as in Lundberg & Lee (2017), "A unified approach to interpreting model
/// predictions", NeurIPS 30, 4765–4774.
///
/// ```
/// use shapley::games::Words;
///
/// // A toy model: "not" turns "good" round.
/// let score = |text: &str| match (text.contains("not"), text.contains("good")) {
///     (false, true) => 1.0,
///     (true, true) => -0.5,
///     _ => 0.0,
/// };
/// let game = Words::new("not so good", score);
/// let phi = shapley::exact(&game)?;
/// assert_eq!(game.words(), ["not", "so", "good"]);
/// assert_eq!(phi.values(), [-0.75, 0.0, 0.25]);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone)]
pub struct Words<F> {
    sentence: Sentence,
    score: F,
}

impl<F> Words<F> {
    /// The game of a text's words under a score, which is given the kept words joined by spaces.
    ///
    /// The score may be a number or several, as an array (the classes of a classifier). It is called from several
    /// threads, and with an empty text for the empty coalition.
    #[must_use]
    pub fn new<V: Value>(text: impl AsRef<str>, score: F) -> Self
    where
        F: Fn(&str) -> V + Sync,
    {
        Self { sentence: Sentence::new(text), score }
    }

    /// Lets absent words become `token` instead of vanishing: `"[MASK]"` for BERT and its kin.
    #[must_use]
    pub fn mask(self, token: impl Into<String>) -> Self {
        Self { sentence: self.sentence.mask(token), ..self }
    }

    /// The words, in their order: player i is word i.
    #[must_use]
    pub fn words(&self) -> &[String] {
        self.sentence.words()
    }

    /// The words and what absent ones become.
    #[must_use]
    pub fn sentence(&self) -> &Sentence {
        &self.sentence
    }
}

impl<V: Value, F: Fn(&str) -> V + Sync> Game for Words<F> {
    type Value = V;

    fn num_players(&self) -> usize {
        self.sentence.len()
    }

    fn value(&self, coalition: &Coalition) -> V {
        (self.score)(&self.sentence.keep(coalition))
    }
}

impl<F> fmt::Debug for Words<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").field("sentence", &self.sentence).finish_non_exhaustive()
    }
}
