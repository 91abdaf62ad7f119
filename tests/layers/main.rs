//! The structure of `src`: modules import only from the layers below them, and the root has few names.

mod imports;
mod root;
