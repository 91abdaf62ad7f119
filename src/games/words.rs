//! A text whose words are the players.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;

use super::Sentence;
use crate::game::{Batch, Single, TryBatch, TrySingle, forward};
use crate::{Coalition, Game, TryGame, Value, from_batch_fn, from_fn, try_from_batch_fn, try_from_fn};

/// A text and a model that scores texts: which word made the model say so?
///
/// The players are the words; a coalition's value is the score of what is left of the text with its words alone. The
/// grand coalition is the text itself, byte for byte; [`Sentence`] says what is a word, and which white space stays.
/// For a text of N words, the value of word i is
///
/// φᵢ = Σ over S ⊆ N∖{i} of |S|! (N−|S|−1)! / N! · [v(S ∪ {i}) − v(S)]
///
/// and its three factors say what it means. The **difference** is what the word adds to the score where the words S
/// stand already: "not" adds little alone and takes much away beside "good". The **weight** is the probability that
/// exactly the words S are there when word i comes, if the words come one by one in a random order: |S|! orders of
/// those before, (N−|S|−1)! of those after, out of N!. The **sum** goes over every text that the other words can make.
/// So φᵢ is what the word adds on average, and all of them sum to score(text) − v(∅), where v(∅) is the score of the
/// empty text, or with a [mask](Self::mask) that of masks alone.
///
/// An exact answer takes 2^N scores: 4096 for 12 words, a million for 20. A text without words is a game without
/// players, which solvers refuse with [`NoPlayers`](crate::Error::NoPlayers).
///
/// Leaving words out gives texts that nobody would write, and a model may treat them oddly; a [mask](Self::mask) token
/// that the model was trained with can be the fairer absence.
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
///
/// # Models that take batches, or fail
///
/// A transformer is fastest on many texts at once, and a model behind a network can fail. [`try_batched`] is both,
/// [`batched`] and [`try_new`] are one of them. **Set the batch** that the model likes:
/// [`Exact::batch`](crate::Exact::batch), [`Permutation::batch`](crate::Permutation::batch). Without it a call of an
/// exact solver has a 32nd of each thread's texts: 1 of five words, 16 of ten on two threads.
///
/// ```
/// use shapley::{Exact, games::Words};
/// # struct Model;
/// # impl Model {
/// #     fn predict(&self, texts: &[String]) -> Result<Vec<[f64; 2]>, std::io::Error> {
/// #         Ok(texts.iter().map(|text| [text.len() as f64, text.lines().count() as f64]).collect())
/// #     }
/// # }
/// # let model = Model;
/// # let review = "Not a bad film,\nnot at all.";
///
/// // `model.predict` takes texts, and returns a `Result` of one value for each: here the logits of two classes.
/// let game = Words::try_batched(review, |texts: &[String]| model.predict(texts)).mask("[MASK]");
/// let phi = Exact::new().batch(64).solve(&game)?;
/// # assert_eq!(phi.grand(), &[27.0, 2.0]);
/// # Ok::<(), shapley::Error<std::io::Error>>(())
/// ```
///
/// [`try_new`]: Self::try_new
/// [`batched`]: Self::batched
/// [`try_batched`]: Self::try_batched
///
/// # Players that are not words
///
/// [`from_parts`](Self::from_parts) takes tokens, phrases or characters. Every other constructor takes a text or a
/// [`Sentence`], and one [made of parts](Sentence::from_parts) will do:
/// `Words::try_batched(Sentence::from_parts(tokens), score)`.
///
/// `K` is the kind of score, and follows from the constructor.
///
/// # References
///
/// Shapley (1953), "A value for n-person games", in *Contributions to the Theory of Games II*, 307–317,
/// doi:10.1515/9781400881970-018; for texts as in Lundberg & Lee (2017), "A unified approach to interpreting model
/// predictions", NeurIPS 30, 4765–4774.
#[derive(Clone)]
pub struct Words<F, K = Single> {
    sentence: Sentence,
    score: F,
    kind: PhantomData<K>,
}

impl<F> Words<F> {
    /// The game of a text's words under a score, which is given what is left of the text.
    ///
    /// The score may be a number or several, as an array (the classes of a classifier). It is called from several
    /// threads, and with an empty text for the empty coalition.
    #[must_use]
    pub fn new<V: Value>(text: impl Into<Sentence>, score: F) -> Self
    where
        F: Fn(&str) -> V + Sync,
    {
        Self::of(text, score)
    }

    /// The game of a text's parts, which are joined as they are: short for [`new`](Self::new) of
    /// [`Sentence::from_parts`].
    ///
    /// ```
    /// use shapley::games::Words;
    ///
    /// let score = |text: &str| if text == "不好看" { -1.0 } else { f64::from(u8::from(text.contains('好'))) };
    /// let game = Words::from_parts("不好看".chars(), score);
    /// let phi = shapley::exact(&game)?;
    /// assert_eq!(format!("{:.2}", phi.named(game.words())), "不  -0.67\n看  -0.67\n好   0.33");
    /// # Ok::<(), shapley::Error>(())
    /// ```
    #[must_use]
    pub fn from_parts<V: Value>(parts: impl IntoIterator<Item = impl Into<String>>, score: F) -> Self
    where
        F: Fn(&str) -> V + Sync,
    {
        Self::of(Sentence::from_parts(parts), score)
    }
}

impl<F> Words<F, TrySingle> {
    /// The game of a text's words under a score that can fail. The first failure ends the solver with
    /// [`Error::Game`](crate::Error::Game), which has the error in it and the coalition of the words that were kept.
    ///
    /// The error must implement [`std::error::Error`]: see [`TryGame`].
    ///
    /// ```
    /// use shapley::{Error, games::Words};
    ///
    /// let game = Words::try_new("1 2 x", |text: &str| text.replace(' ', "").parse::<f64>());
    /// let error = shapley::exact(&game).unwrap_err(); // the empty text is no number
    /// assert!(matches!(&error, Error::Game { coalition, .. } if coalition.is_empty()));
    /// ```
    #[must_use]
    pub fn try_new<V: Value, E: StdError + Send + Sync + 'static>(text: impl Into<Sentence>, score: F) -> Self
    where
        F: Fn(&str) -> Result<V, E> + Sync,
    {
        Self::of(text, score)
    }
}

impl<F> Words<F, Batch> {
    /// The game of a text's words under a score of many texts at once: one value for each, in their order.
    ///
    /// [`from_batch_fn`] says how many texts a call has, and what another number of values does
    /// ([`BatchLength`](crate::Error::BatchLength)).
    #[must_use]
    pub fn batched<V: Value>(text: impl Into<Sentence>, scores: F) -> Self
    where
        F: Fn(&[String]) -> Vec<V> + Sync,
    {
        Self::of(text, scores)
    }
}

impl<F> Words<F, TryBatch> {
    /// The game of a text's words under a score of many texts at once that can fail: [`batched`](Self::batched) with
    /// one `Result` for all values.
    ///
    /// A batch fails as a whole, and is reported under its first coalition: see [`try_from_batch_fn`].
    #[must_use]
    pub fn try_batched<V: Value, E: StdError + Send + Sync + 'static>(text: impl Into<Sentence>, scores: F) -> Self
    where
        F: Fn(&[String]) -> Result<Vec<V>, E> + Sync,
    {
        Self::of(text, scores)
    }
}

impl<F, K> Words<F, K> {
    fn of(text: impl Into<Sentence>, score: F) -> Self {
        Self { sentence: text.into(), score, kind: PhantomData }
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

    /// The words, the white space between them, and what absent words become.
    #[must_use]
    pub fn sentence(&self) -> &Sentence {
        &self.sentence
    }

    fn texts(&self, kept: &[Coalition]) -> Vec<String> {
        kept.iter().map(|kept| self.sentence.keep(kept)).collect()
    }
}

// Each kind is the game of a closure of coalitions, made for the call.

impl<V: Value, F: Fn(&str) -> V + Sync> Words<F, Single> {
    fn game(&self) -> impl Game<Value = V> {
        from_fn(self.sentence.len(), |kept| (self.score)(&self.sentence.keep(kept)))
    }
}

impl<V: Value, E: StdError + Send + Sync + 'static, F: Fn(&str) -> Result<V, E> + Sync> Words<F, TrySingle> {
    fn game(&self) -> impl TryGame<Value = V, Error = E> {
        try_from_fn(self.sentence.len(), |kept| (self.score)(&self.sentence.keep(kept)))
    }
}

impl<V: Value, F: Fn(&[String]) -> Vec<V> + Sync> Words<F, Batch> {
    fn game(&self) -> impl Game<Value = V> {
        from_batch_fn(self.sentence.len(), |kept| (self.score)(&self.texts(kept)))
    }
}

impl<V: Value, E: StdError + Send + Sync + 'static, F: Fn(&[String]) -> Result<Vec<V>, E> + Sync> Words<F, TryBatch> {
    fn game(&self) -> impl TryGame<Value = V, Error = E> {
        try_from_batch_fn(self.sentence.len(), |kept| (self.score)(&self.texts(kept)))
    }
}

forward!(Game, self => self.game(), [
    (V: Value, F: Fn(&str) -> V + Sync) Words<F, Single>,
    (V: Value, F: Fn(&[String]) -> Vec<V> + Sync) Words<F, Batch>
], {
    type Value = V;
    fn num_players() -> usize;
    fn value(coalition: &Coalition) -> V;
    fn values(coalitions: &[Coalition], values: &mut Vec<V>) -> ();
    fn walk(order: &[usize], values: &mut Vec<V>) -> ();
});

forward!(TryGame, self => self.game(), [
    (V: Value, E: StdError + Send + Sync + 'static, F: Fn(&str) -> Result<V, E> + Sync) Words<F, TrySingle>,
    (V: Value, E: StdError + Send + Sync + 'static, F: Fn(&[String]) -> Result<Vec<V>, E> + Sync) Words<F, TryBatch>
], {
    type Value = V;
    type Error = E;
    fn num_players() -> usize;
    fn try_value(coalition: &Coalition) -> Result<V, E>;
    fn try_values(coalitions: &[Coalition], values: &mut Vec<V>) -> Result<(), E>;
    fn try_walk(order: &[usize], values: &mut Vec<V>) -> Result<(), E>;
});

impl<F, K> fmt::Debug for Words<F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").field("sentence", &self.sentence).finish_non_exhaustive()
    }
}
