//! Every constant of the model and its correction, with its symbol in docs/surrogate.md, its origin and its effect.
//!
//! "Measured" means: by the bench `accuracy`, on the games that docs/surrogate.md names. Constants without such a word
//! are conventions or guards of the arithmetic, and moving them within a factor of ten changes no result that matters.

/// The number of harmonics of the ridge term, whose frequencies are w_k = (k + ½) π. A step needs them all; the cost of
/// a fit grows with their number.
pub(super) const HARMONICS: usize = 24;

/// The largest relevance r_i of a player; 1 would make the kernel singular.
pub(super) const LARGEST_RELEVANCE: f64 = 0.98;

/// What every diagonal has more, for the sake of the arithmetic, in units of the scale of all covariances.
pub(super) const JITTER: f64 = 1e-10;

/// A normal prior: mean and standard deviation.
pub(super) type Normal = (f64, f64);

/// The prior of ln τ (noise), ln s_E (size), ln s_L (linear) and ln s_I (ridge). So wide that the data decide.
pub(super) const NOISE: Normal = (-4.0, 3.0);
pub(super) const SIZE: Normal = (-3.0, 3.0);
pub(super) const LINEAR: Normal = (-1.0, 3.0);
pub(super) const RIDGE: Normal = (-3.0, 3.0);

/// ln s_I where the descent of the ridge model starts: a little weight, with a slope towards more.
pub(super) const FIRST_RIDGE: f64 = -2.0;

/// The prior of the weights t of the ridge about the plain model's values, in units of their root mean square.
pub(super) const WEIGHT_SPREAD: f64 = 0.5;

/// The prior mean of the relevances' mean logit is ln(2/n) plus this; and its standard deviation. Single relevances
/// vary about their mean by a logit of 1.
pub(super) const MEAN_RELEVANCE: f64 = 1.0;
pub(super) const SPREAD_OF_MEAN: f64 = 3.0;

/// ln of the largest noise and variance.
pub(super) const MOST_LOG: f64 = 7.0;

/// The least noise, and the least variances of size and linear terms; and how far below its prior mean a relevance may
/// fall, as a logarithm. Where some players never matter, the likelihood would otherwise be all about that, and the
/// rest of the fit would stop: the error of a sentence after 1000 evaluations was four times as large without.
pub(super) const LEAST_VARIANCE: f64 = 1e-6;
pub(super) const LEAST_RELEVANCE_LOG: f64 = -6.0;

/// The decay p of the harmonics is above the least, below which a ridge could be any function; its logarithm above that
/// is normal, about that of the middle.
pub(super) const LEAST_DECAY: f64 = 0.55;
pub(super) const MIDDLE_DECAY: f64 = 1.2;
pub(super) const DECAY_SPREAD: f64 = 0.6;

/// The prior of ln of the distance of a bound of the saturation curve from the nearest value, in units of the values'
/// range.
pub(super) const BOUND: Normal = (0.0, 2.0);

/// No bound is nearer than this, as a logarithm, where rounding decides; and a bound at the far end is of no effect.
pub(super) const NEAREST_BOUND: f64 = -16.0;
pub(super) const FAR_BOUND: f64 = 9.0;

/// If a greater part of the values than this equals the least of them, or the largest, there is no bound on that side:
/// the curve has no inverse there, and the likelihood no maximum.
pub(super) const MOST_TIES: f64 = 0.05;

/// The variance of the constant of the even half, which is as good as unknown.
pub(super) const CONSTANT: f64 = 100.0;

/// Hyper-parameters are fitted to at most so many rows. (200 or 300 gave twice the error on votes and sentences after
/// 1000 evaluations; more take longer than they gain.)
pub(super) const FIT_ROWS: usize = 400;

/// A posterior is of these rows, of this many, or of all that the model gets; other pairs only correct it.
pub(super) const SECOND_ROWS: usize = 1000;
pub(super) const MODEL_ROWS: usize = 2000;

/// The first descents are on this many rows: with one relevance for all players, from each of two starts, and then the
/// plain model's, the first part of which is where the ridge model starts. Its last part is on all rows.
pub(super) const FIRST_ROWS: usize = 128;
pub(super) const TIED_EVALUATIONS: usize = 10;
pub(super) const EARLY_EVALUATIONS: usize = 6;
pub(super) const FIRST_EVALUATIONS: usize = 20;
pub(super) const NEXT_EVALUATIONS: usize = 6;

/// The saturation's fit takes at most so many evaluations.
pub(super) const SATURATION_EVALUATIONS: usize = 30;

/// And the ridge model's: the more rows, the more there is to find.
pub(super) fn ridge_evaluations(rows: usize) -> usize {
    10 + rows / 50
}

/// How many rows a fitted hyper-parameter is worth, in Akaike's final prediction error. Measured from 0.25 to 1: 0.3
/// has the least errors on deep models at 2n to 6n evaluations, and widths nearest to the errors.
pub(super) const ROWS_PER_PARAMETER: f64 = 0.3;

/// The ridge model is taken if its penalised likelihood gains this many times ½ (n + 2) ln m. Measured at 1, 1.5 and 2:
/// below, it is taken for saturation at small budgets; above, votes are missed.
pub(super) const RIDGE_GAIN: f64 = 1.5;

/// The ridge model's folds: their number, the rows that each is fitted to, and the evaluations of the fit.
pub(super) const FOLDS: usize = 3;
pub(super) const FOLD_ROWS: usize = 100;
pub(super) const FOLD_EVALUATIONS: usize = 9;

/// A model that interpolates leaves nothing of its own rows; whatever it predicts is then infinitely worse.
pub(super) const MOST_INFLATION: f64 = 1e6;

/// The Shapley values of a curve are summed over all pairs up to this number, and over a sample of as many beyond.
pub(super) const CURVE_PAIRS: usize = 8192;

/// Rows of a block when many are predicted or mapped: a matter of memory.
pub(super) const BLOCK: usize = 2048;

/// A game whose pairs show at most this many distinct differences, or this part of their number, has few distinct
/// values.
pub(super) const FEW_VALUES: f64 = 3.0;
pub(super) const FEW_VALUES_PART: f64 = 0.1;

/// A model of fewer pairs than this for each player that leaves less than this part of what is not linear fits it
/// suspiciously well.
pub(super) const FEW_PAIRS: usize = 3;
pub(super) const EXACT_FIT: f64 = 0.02;
