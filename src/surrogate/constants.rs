//! Every constant of the design, the models and the correction, with its symbol in docs/surrogate.md, its origin and
//! its effect. (Sizes of blocks of memory stand where they are used.)
//!
//! "Measured" means: by the bench `accuracy`, on the games that docs/surrogate.md names. Constants without such a word
//! are conventions or guards of the arithmetic, and moving them within a factor of ten changes no result that matters.

// The design.

/// With [`Form::Singles`](super::quota::Form), all single players are asked for once there are other pairs beside them:
/// one for this number of players, and at least two. (With one for five players, intervals of 9 players covered 0.82 at
/// 24 evaluations.) Fewer say next to nothing of how sure the values are.
pub(super) const PLAYERS_PER_OTHER: usize = 2;
pub(super) const FEWEST_OTHERS: usize = 2;

/// The number of pairs that are shared out over sizes as a model learns best; those after them have equal shares, as
/// residuals are summed best. (Without, sums of unanimity games of 50 and 100 players had 1.7 times the error at 20 000
/// evaluations, and runways five times.)
pub(super) const MODEL_PAIRS: f64 = 500.0;

/// Least squares of at most this number of pairs for each player have the pairs of a walk: with pairs at random, their
/// noise is nearly all that there is. Measured: docs/surrogate.md, "Which pairs".
pub(super) const MOST_OF_A_WALK: f64 = 1.05;

/// The number of pairs that are spread together; of a block after them, which is spread against the block before it;
/// and of all that are spread. The time grows with the cube of what is spread together. Measured: "Which pairs" again.
pub(super) const FIRST_BLOCK: usize = 500;
pub(super) const NEXT_BLOCK: usize = 250;
pub(super) const MOST_SPREAD: usize = 4000;

/// The fewest candidates of a size that pairs are chosen from.
pub(super) const FEWEST_CANDIDATES: u64 = 32;

/// Variances that differ by less than this part of the largest there is are equal.
pub(super) const TIED_VARIANCES: f32 = 1e-4;

// Which coalitions are asked for, and when.

/// The number of random pairs that tell whether a game looks self-dual.
pub(super) const FIRST_CHECKS: usize = 10;

/// And one evaluation in this number is spent to look again.
pub(super) const CHECK_EVERY: u64 = 32;

/// At most one pair in this number may not be dual where the complements of others are taken for what they are on
/// average.
pub(super) const FEW_NOT_DUAL: usize = 10;

/// A game that looks self-dual is asked in at most this number of rounds, each of at least this number of pairs.
pub(super) const MOST_ROUNDS: usize = 8;
pub(super) const FEWEST_OF_ROUND: usize = 8;

/// The evaluations of the first stage for each player, without v(∅) and v(N): with fewer, standard errors mean little.
pub(super) const FIRST_STAGE: u64 = 3;

/// Each stage after it has as many evaluations as there were, over this number: so that all fits together cost about
/// twice the last, as their cost grows with the square of what they are of.
pub(super) const STAGE_GROWTH: u64 = 2;

/// Where only the time may stop a run, nothing is fitted between stages, and the first has at least this number of
/// evaluations. (A design of millions takes longer than many a deadline, and is not needed if they cannot be paid for.)
pub(super) const FIRST_UNTIL_LATE: u64 = 1024;

// The models.

/// The number of harmonics of the ridge term, whose frequencies are ω_k = (k + ½) π. A step needs them all; the cost of
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

/// Hyper-parameters are fitted to at most this number of rows. (200 or 300 gave twice the error on votes and sentences
/// after 1000 evaluations; more take longer than they gain.)
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

/// The plain model of the even half with one relevance has it, noise, and a variance.
pub(super) const TIED_PARAMETERS: usize = 3;

/// The saturation's fit takes at most this number of evaluations.
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

// Descent, least squares and linear games.

/// Stops once a step promises to gain less: hundredths of a unit of log-likelihood say nothing.
pub(super) const LEAST_GAIN: f64 = 2e-2;

/// No coordinate moves farther at once. They are in units of their prior's standard deviation.
pub(super) const LONGEST_STEP: f64 = 2.0;

/// A residual says how far the fit is off if at least this part of it is free of its own pair.
pub(super) const LEAST_FREE: f64 = 0.05;

/// A stratum of at least this number of rows has a mean.
pub(super) const FEWEST_OF_STRATUM: u64 = 8;

/// Less than this part of the largest difference is rounding.
pub(super) const MOST_LEFT: f64 = 1e-10;

/// Even halves are tried for a quadratic function of at most this number of coefficients, which are those of 63
/// players: solving for more takes longer than the models do.
pub(super) const MOST_QUADRATIC: usize = 2000;

/// A Gram matrix of signs with a smaller pivot than this for each row is singular but for rounding. (That of a matrix
/// of full rank is a whole number over a minor, and far larger.)
pub(super) const LEAST_PIVOT: f64 = 1e-9;

/// A half of all pairs that is nowhere more than this part of the largest value is zero but for rounding.
pub(super) const ROUNDING: f64 = 1e-12;

/// Conjugate gradients end once the squared residual is this part of the first, or after this number of steps.
pub(super) const LEAST_STEP: f64 = 1e-8;
pub(super) const MOST_STEPS: usize = 30;
