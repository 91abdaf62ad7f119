//! Panics of code that is not ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `code`; the error is the message of its panic. After one, the caller must not use what `code` had changed.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("no message").to_owned();
        // A payload whose own drop panics would end this thread.
        std::mem::forget(payload);
        message
    })
}
