//! A text as words and the white space between them.

use crate::Coalition;

/// The words of a text, the white space between them, and what is left of the text when only some words are there.
///
/// A word is what stands between white space, as Unicode defines it; punctuation stays with its word. With all words
/// the text is as it was, byte for byte. What is left of it follows one rule:
///
/// * **Between** two kept words stands one of the white spaces that stood between them in the text, unchanged: the one
///   with the most line breaks, and of several such the last. So neighbours stay as they were, a line stays a line and
///   a paragraph a paragraph as long as a word of it is there, and a word at the start of a line keeps its indentation.
/// * **Before** the first and **after** the last kept word stands what the text begins and ends with.
/// * **No words** are the empty text.
///
/// With a [mask](Self::mask) absent words become the mask, and all white space stays as it was, without any word too.
///
/// ```
/// use shapley::{Coalition, games::Sentence};
///
/// let poem = Sentence::new("Roses are  red,\n  violets\tare blue.\n");
/// assert_eq!(poem.words(), ["Roses", "are", "red,", "violets", "are", "blue."]);
/// let keep = |players: &[usize]| poem.keep(&Coalition::from_players(6, players.iter().copied()));
///
/// assert_eq!(keep(&[0, 1, 2, 3, 4, 5]), "Roses are  red,\n  violets\tare blue.\n");
/// assert_eq!(keep(&[0, 2, 3, 5]), "Roses  red,\n  violets blue.\n");
/// assert_eq!(keep(&[1, 4]), "are\n  are\n"); // the first line's end, and the second's indentation
/// assert_eq!(keep(&[]), "");
/// assert_eq!(poem.mask("_").keep(&Coalition::from_players(6, [2])), "_ _  red,\n  _\t_ _\n");
/// ```
///
/// A text that does not divide at white space is made [from its parts](Self::from_parts).
///
/// [`Words`](super::Words) makes a game of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    words: Vec<String>,
    /// What stands before each word, and after the last: one more than there are words.
    gaps: Vec<Gap>,
    mask: Option<String>,
}

/// What stands between two words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Gap {
    space: String,
    line_breaks: usize,
}

impl Gap {
    fn new(space: &str) -> Self {
        // Those of Unicode's line breaking (UAX 14) that must break.
        let breaks = ['\n', '\u{b}', '\u{c}', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        let line_breaks = space.matches(breaks).count() - space.matches("\r\n").count();
        Self { space: space.to_owned(), line_breaks }
    }
}

impl Sentence {
    /// Splits a text into its words.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut rest = text.as_ref();
        let (mut words, mut gaps) = (Vec::new(), Vec::new());
        loop {
            let from_word = rest.trim_start();
            gaps.push(Gap::new(&rest[..rest.len() - from_word.len()]));
            if from_word.is_empty() {
                return Self { words, gaps, mask: None };
            }
            let (word, after) = from_word.split_at(from_word.find(char::is_whitespace).unwrap_or(from_word.len()));
            words.push(word.to_owned());
            rest = after;
        }
    }

    /// Takes the parts of a text as its words: tokens, phrases, characters of a script without spaces. They are joined
    /// as they are: nothing is split, trimmed or put between them.
    ///
    /// ```
    /// use shapley::{Coalition, games::Sentence};
    ///
    /// let tokens = Sentence::from_parts(["un", "believ", "able", " film"]);
    /// assert_eq!(tokens.keep(&Coalition::grand(4)), "unbelievable film");
    /// assert_eq!(tokens.keep(&Coalition::from_players(4, [1, 2, 3])), "believable film");
    ///
    /// let characters = Sentence::from_parts("不好看".chars());
    /// assert_eq!(characters.keep(&Coalition::from_players(3, [1, 2])), "好看");
    /// ```
    #[must_use]
    pub fn from_parts(parts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let words: Vec<String> = parts.into_iter().map(Into::into).collect();
        Self { gaps: vec![Gap::default(); words.len() + 1], words, mask: None }
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

    /// The text of the words in `kept`, the others gone or masked: see [above](Self) for the white space. A text
    /// without words stays as it is.
    #[must_use]
    pub fn keep(&self, kept: &Coalition) -> String {
        // Room for all words, so that the text is not moved while it grows.
        let spaces = self.gaps.iter().map(|gap| gap.space.len());
        let mut text = String::with_capacity(self.words.iter().map(String::len).chain(spaces).sum());
        let mut last = None;
        for (player, word) in self.words.iter().enumerate() {
            let Some(shown) = (if kept.contains(player) { Some(word) } else { self.mask.as_ref() }) else { continue };
            // The gaps since the last word that is shown; the text's beginning does not depend on who is.
            let gaps = last.map_or(&self.gaps[..1], |last| &self.gaps[last + 1..=player]);
            text.extend(gaps.iter().max_by_key(|gap| gap.line_breaks).map(|gap| gap.space.as_str()));
            text.push_str(shown);
            last = Some(player);
        }
        if last.is_some() || self.is_empty() {
            text.extend(self.gaps.last().map(|gap| gap.space.as_str()));
        }
        text
    }
}

/// The text's words, as [`Sentence::new`] finds them.
impl<T: AsRef<str>> From<T> for Sentence {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}
